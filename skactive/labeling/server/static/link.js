// The link that opened the page: its token, and requests with it.

const TOKEN_KEY = "skactive.token"; // in the storage of this tab
const TIMEOUT_MS = 60000; // for a response

let token = "";

// Storage may be disabled; then the link must be opened again after a reload.
export function readStorage(storage, key) {
  try {
    return window[storage].getItem(key) || "";
  } catch {
    return "";
  }
}

export function writeStorage(storage, key, value) {
  try {
    window[storage].setItem(key, value);
  } catch {
    // The value is kept while the page is open.
  }
}

export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export function hasToken() {
  return token !== "";
}

// Send a request, and return the status and the reply. What may succeed later is an error: a failure of
// the server, a timeout, and by default also a refusal (403), of a proxy say.
export async function post(path, content, options = {}, retried = [403, 408]) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify(content),
    credentials: "omit",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...options,
  });
  if (retried.includes(response.status) || response.status >= 500) {
    throw new Error(`the server responded with ${response.status}`);
  }
  return [response.status, await response.json()];
}

// Read the token, and remove it from the address at once, so that nobody reads it there.
export async function takeToken() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (location.hash) {
    history.replaceState(null, "", location.pathname);
  }
  token = fragment.get("token") || readStorage("sessionStorage", TOKEN_KEY);
  if (fragment.get("once")) {
    const [, reply] = await post("api/open", { code: fragment.get("once") });
    token = reply.ok ? reply.token : token; // after a reload it is in the tab's storage
  }
  writeStorage("sessionStorage", TOKEN_KEY, token);
}
