// Who labels, and how messages reach the server. The page itself is page.js.
import { mount } from "./page.js";

const TOKEN = "skactive.token"; // in this tab only
const NAME = "skactive.annotator"; // in this browser
const PATIENCE = 60000; // milliseconds for an answer
const GONE =
  "This link is not, or no longer, valid. Open the link that the server printed in this tab: " +
  "answers that were not sent yet are kept and will be sent.";

const entry = document.getElementById("entry");
let token = "";
let name = "";
let mounted = false;

// Storage can be switched off: then the link must be opened again after a reload.
function stored(storage, key) {
  try {
    return window[storage].getItem(key) || "";
  } catch {
    return "";
  }
}

function store(storage, key, value) {
  try {
    window[storage].setItem(key, value);
  } catch {
    // It is kept as long as the page is open.
  }
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function post(path, content, options = {}) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify(content),
    credentials: "omit",
    signal: AbortSignal.timeout(PATIENCE),
    ...options,
  });
  if ([403, 408].includes(response.status) || response.status >= 500) {
    throw new Error(`the server answered with ${response.status}`); // sent again later
  }
  return [response.status, await response.json()];
}

// The token is taken out of the address at once, so that nobody reads it there.
async function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (location.hash) {
    history.replaceState(null, "", location.pathname);
  }
  token = given.get("token") || stored("sessionStorage", TOKEN);
  if (given.get("once")) {
    const [, reply] = await post("api/open", { code: given.get("once") });
    token = reply.ok ? reply.token : token; // loaded again: it is in the tab's storage
  }
  store("sessionStorage", TOKEN, token);
}

async function send(message) {
  // What is given back when the page closes must outlive it.
  const options = message.do === "release" ? { keepalive: true } : {};
  const [status, reply] = await post("api/message", { annotator: name, message }, options);
  if (status === 401) {
    announce(GONE);
    throw new Error(GONE); // sent again later, perhaps with a new token
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
      textContent: "It is kept with each of your labels. Use the same one each time.",
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

async function begin(asked) {
  name = asked.trim();
  try {
    const reply = await send({ do: "state" });
    if (reply.ok) {
      store("localStorage", NAME, name);
      document.title = reply.state?.title || document.title;
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
  const as = element("span", { textContent: `Labeling as ${name}` });
  const who = element("div", { className: "entry-who" }, as, other);
  const root = element("div");
  entry.replaceChildren(who, notice, root);
  mount(root, send, { global: true, heading: 1, autofocus: true });
  // Leaving the page gives its rows back, and asks where answers were not sent yet.
  other.addEventListener("click", () => {
    store("localStorage", NAME, "");
    location.reload();
  });
}

async function start() {
  let missing = "Open the link that the server printed: this one holds no token.";
  try {
    await takeToken();
  } catch (error) {
    missing = `The server cannot be reached (${error.message}): load this page again.`;
  }
  name = stored("localStorage", NAME);
  if (!token) {
    entry.replaceChildren(element("h1", { textContent: "Labeling" }), notice);
    announce(missing);
  } else if (name) {
    begin(name);
  } else {
    askName();
  }
}

// A new link that is opened in this tab changes the address only after the #.
window.addEventListener("hashchange", () => {
  if (mounted) {
    takeToken().catch((error) => announce(error.message));
  } else {
    start();
  }
});
start();
