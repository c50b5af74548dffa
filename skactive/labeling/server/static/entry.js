// Asks who labels, and sends the messages of the page (page.js) to the server.
import { mount, visible } from "./page.js";

const TOKEN_KEY = "skactive.token"; // in the storage of this tab
const NAME_KEY = "skactive.annotator"; // in the storage of this browser
const TIMEOUT_MS = 60000; // for a response
const INVALID_LINK =
  "This link is not valid, or no longer valid. In this tab, open the link that the server printed: " +
  "answers that were not sent yet are kept and will be sent.";

const entry = document.getElementById("entry");
let token = "";
let name = "";
let owner = ""; // whom the link belongs to; empty if several people share it
let mounted = false;

// Storage may be disabled; then the link must be opened again after a reload.
function readStorage(storage, key) {
  try {
    return window[storage].getItem(key) || "";
  } catch {
    return "";
  }
}

function writeStorage(storage, key, value) {
  try {
    window[storage].setItem(key, value);
  } catch {
    // The value is kept while the page is open.
  }
}

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

async function post(path, content, options = {}) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify(content),
    credentials: "omit",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...options,
  });
  if ([403, 408].includes(response.status) || response.status >= 500) {
    throw new Error(`the server responded with ${response.status}`); // the page retries
  }
  return [response.status, await response.json()];
}

// Read the token, and remove it from the address at once, so that nobody reads it there.
async function takeToken() {
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

async function readNames() {
  name = readStorage("localStorage", NAME_KEY);
  const [status, link] = token ? await post("api/link", {}) : [0];
  owner = (status === 200 && link.annotator) || "";
  name = owner || name;
}

async function send(message) {
  // why keepalive: the release of leases is sent when the page closes.
  const options = message.do === "release" ? { keepalive: true } : {};
  const [status, reply] = await post("api/message", { annotator: name, message }, options);
  if (status === 401) {
    announce(INVALID_LINK);
    throw new Error(INVALID_LINK); // the page retries, perhaps with a new token
  }
  announce("");
  return reply;
}

const notice = element("p", { className: "entry-notice", hidden: true });
notice.setAttribute("role", "alert");

function announce(text) {
  if (notice.textContent !== text) {
    notice.textContent = text;
    notice.hidden = !text;
  }
}

function askName(problem = "") {
  if (mounted) return;
  const field = element("input", {
    id: "entry-name",
    name: "name",
    autocomplete: "nickname",
    maxLength: 64,
    required: true,
    value: name,
  });
  const form = element(
    "form",
    { className: "entry-form" },
    element("h1", { textContent: "Labeling" }),
    element("label", { htmlFor: field.id, textContent: "Your name" }),
    field,
    element("p", {
      id: "entry-help",
      textContent: "It is stored with each of your labels. Use the same name each time.",
    }),
    element("button", { type: "submit", textContent: "Begin" }),
  );
  field.setAttribute("aria-describedby", "entry-help");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin(field.value);
  });
  entry.replaceChildren(notice, form);
  announce(problem);
  field.focus();
}

async function begin(text) {
  name = text.trim();
  try {
    const reply = await send({ do: "state" });
    if (reply.ok) {
      writeStorage("localStorage", NAME_KEY, name);
      document.title = visible(reply.state?.title || document.title);
      label();
    } else {
      askName(reply.error);
    }
  } catch (error) {
    askName(error.message);
  }
}

function label() {
  if (mounted) return; // Enter was pressed twice
  mounted = true;
  const other = element("button", { type: "button", textContent: "Somebody else" });
  const as = element("span", { textContent: `Labeling as ${visible(name)}` });
  const who = element("div", { className: "entry-who" }, as, other);
  const root = element("div");
  entry.replaceChildren(who, notice, root);
  mount(root, send, { global: true, heading: 1, autofocus: true });
  other.hidden = owner !== "";
  // Leaving the page releases its leases, and warns of answers that were not sent yet.
  other.addEventListener("click", () => {
    writeStorage("localStorage", NAME_KEY, "");
    location.reload();
  });
}

async function start() {
  let missing = "Open the link that the server printed: this one contains no token.";
  try {
    await takeToken();
    await readNames();
  } catch (error) {
    missing = `The server cannot be reached (${error.message}): reload this page.`;
  }
  if (!token) {
    entry.replaceChildren(element("h1", { textContent: "Labeling" }), notice);
    announce(missing);
  } else if (name) {
    begin(name);
  } else {
    askName();
  }
}

// A new link that is opened in this tab changes only the fragment of the address.
window.addEventListener("hashchange", () => {
  if (mounted) {
    takeToken().catch((error) => announce(error.message));
  } else {
    start();
  }
});
start();
