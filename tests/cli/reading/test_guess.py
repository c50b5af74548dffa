"""The likely encoding of bytes, in the languages that use it."""

# ruff: noqa: RUF001 (letters of other languages look like Latin ones)

import pytest

from skactive.cli.reading._guess import guess_encoding

TEXTS = {
    "cp1252": [
        "Schöne Grüße aus Köln, und die Bäume blühen über dem Fluß",
        "Où est l’hôtel près de la forêt, là-bas, garçon ?",
        "El niño comió piñas mañana, ¿verdad? 5 €",
        "Não há situação melhor, então é à mão",
    ],
    "cp1250": [
        "Dziękuję, to był świetny film, proszę Państwa",
        "Příliš žluťoučký kůň úpěl ďábelské ódy",
    ],
    "mac_roman": ["Schöne Grüße aus Köln, und die Bäume blühen über dem Fluß"],
    "cp1251": ["Съешь же ещё этих мягких французских булок", "Привіт, як справи у Києві"],
    "koi8_r": ["Съешь же ещё этих мягких французских булок"],
    "cp1253": ["Καλημέρα κόσμε, τι κάνεις σήμερα"],
    "cp1255": ["שלום עולם מה שלומך היום"],
    "cp1256": ["مرحبا بالعالم كيف حالك اليوم"],
    "shift_jis": ["今日はとても良い天気ですね。散歩に行きましょう。"],
    "euc_jp": ["今日はとても良い天気ですね。散歩に行きましょう。"],
    "euc_kr": ["안녕하세요 오늘 날씨가 정말 좋네요"],
    "gb18030": ["这个电影很好看，我们都喜欢", "今天天气不错，大家来看电影"],
    "big5": ["這個電影很好看，我們都喜歡", "今天天氣不錯，大家來看電影"],
    "utf-16-le": ["plain words"],
    "utf-16-be": ["plain words"],
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in TEXTS.items() for text in texts]
)
def test_languages(name, text):
    data = f"id,text\n1,{text}\n".encode(name)
    guess = guess_encoding(data)
    assert guess is not None
    assert guess.name == name
    assert guess.example in f"id,text\n1,{text}"
    assert guess.example


def test_noise_is_no_language():
    assert guess_encoding(bytes(range(128, 256))) is None
