// Asks who labels, and sends the messages of the page (page.js) to the server.
import { element, hasToken, post, readStorage, takeToken, writeStorage } from "./link.js";
import { mount, visible } from "./page.js";

const NAME_KEY = "skactive.annotator"; // in the storage of this browser
const INVALID_LINK =
  "This link is not valid, or no longer valid. In this tab, open the link that the server printed: " +
  "answers that were not sent yet are kept and will be sent.";

const entry = document.getElementById("entry");
let name = "";
let owner = ""; // whom the link belongs to; empty if several people share it
let reviews = false; // whether the campaign is shown to them
let mounted = false;

async function readNames() {
  name = readStorage("localStorage", NAME_KEY);
  const [status, link] = hasToken() ? await post("api/link", {}) : [0];
  owner = (status === 200 && link.annotator) || "";
  reviews = status === 200 && link.role !== "labels";
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
  const campaign = element("a", { href: "dashboard", textContent: "Campaign" });
  campaign.hidden = !reviews;
  const who = element("div", { className: "entry-who" }, campaign, as, other);
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
  if (!hasToken()) {
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
