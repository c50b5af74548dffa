"""Addresses and tokens, as the server and the client of Label Studio check them."""

import pytest

from skactive.labeling._network import check_api_token, check_link_token, is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST", "a.localhost"]
)
def test_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["labels.example", "localhost.example", "192.168.0.1", "0.0.0.0", "::", ""]
)
def test_others(host):
    assert not is_loopback(host)


def test_tokens_are_returned():
    assert check_link_token("x-Y_0" * 4) == "x-Y_0" * 4
    assert check_api_token(" head.body.signature\n") == "head.body.signature"


@pytest.mark.parametrize("token", ["", "a b", "a\tb", "\u00fc"])
def test_errors_do_not_show_api_tokens(token):
    with pytest.raises(ValueError, match="invalid characters") as error:
        check_api_token(f"{token} ")
    assert not token or token not in str(error.value)
