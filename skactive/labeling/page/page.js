// The labeling page: plain JavaScript, shared by the notebook widget and the server.
//
//   mount(root, send, options) -> { destroy() }
//
// root     the element to fill
// send     (message) -> Promise of a reply; see PageBackend.handle for both. It rejects if the
//          connection is lost; then the same message, with the same key, is sent again.
// options  global     true: handle keys wherever the focus is, not only within root
//          heading    level of the title's heading (default 2)
//          autofocus  true: take the focus
//          prefetch   number of items to load ahead (default 5)
//          retryMs    wait before the first retry (default 500); it doubles with each failure
//          timeoutMs  how long to wait for a reply (default 30000)
//
// The next items are loaded ahead, so the next one is on screen as soon as one is answered. Answers
// are sent in the background, one by one and in order, and are kept until they are stored.
// When an item comes on screen, root dispatches "skactive:shown".

const MAX_BUTTONS = 12; // more classes than that get a search field
const MAX_OPTIONS = 100; // classes listed below the search field
const LETTER_KEYS = "abcefghijklmnoqrtvwxyz"; // d, p, s and u are actions
const MAX_NODES = 20; // earlier items that keep their content
const DOUBLE_CLICK_MS = 300;
const FRAME_POLICY =
  "default-src 'none'; img-src data:; media-src data:; font-src data:; style-src 'unsafe-inline'";

let mounted = 0;

export function mount(root, send, options = {}) {
  const page = new Page(root, send, options);
  page.start();
  return { destroy: () => page.destroy() };
}

class Page {
  constructor(root, send, options) {
    this.root = root;
    this.transport = send;
    this.options = { prefetch: 5, retryMs: 500, timeoutMs: 30000, heading: 2, ...options };
    this.prefix = `ska${++mounted}`;
    this.ready = []; // the next items, best first
    this.current = null; // the item to answer
    this.past = []; // items answered here, in order
    this.cursor = null; // index in past of the item on screen; null: it is the current one
    this.actions = []; // answers given here, in order, for undo
    this.queue = []; // messages that are not stored yet
    this.picked = []; // classes picked for the item on screen, if multilabel
    this.classes = [];
    this.state = {};
    this.timers = new Set();
    this.nSent = this.newestReply = 0; // messages are numbered; an older reply is ignored
    this.failures = 0;
    this.exhausted = this.fetching = this.pumping = this.destroyed = false;
    this.hiddenMs = 0;
    this.lastClick = this.tabbed = -Infinity;
    this.waiting = new Set(); // functions that end the waits before a retry
  }

  // Start and end --------------------------------------------------------------------------------

  start() {
    this.build();
    this.listen();
    this.followTheme();
    this.fetch();
    this.poll();
    this.render();
    if (this.options.autofocus) this.focusHome();
  }

  destroy() {
    if (this.destroyed) return;
    this.release();
    this.destroyed = true;
    this.timers.forEach(clearTimeout);
    this.unlisten.forEach((stop) => stop());
    this.root.replaceChildren();
  }

  on(target, type, handler, how) {
    target.addEventListener(type, handler, how);
    this.unlisten.push(() => target.removeEventListener(type, handler, how));
  }

  listen() {
    this.unlisten = [];
    const { root } = this;
    if (this.options.global) {
      this.on(document, "keydown", (event) => this.onKey(event));
    } else {
      this.on(root, "keydown", (event) => {
        this.onKey(event);
        event.stopPropagation(); // why: no shortcut of the notebook may fire
      });
      this.on(root, "keyup", (event) => event.stopPropagation());
      this.on(root, "keypress", (event) => event.stopPropagation());
      root.dataset.lmSuppressShortcuts = "true"; // JupyterLab listens before the page does
    }
    this.on(document, "visibilitychange", () => this.onVisibility());
    this.on(window, "online", () => this.wake());
    this.on(window, "pagehide", () => this.release());
    this.on(window, "pageshow", (event) => event.persisted && this.startOver());
    this.on(window, "beforeunload", (event) => this.queue.length && event.preventDefault());
    this.on(window, "blur", () => this.takeFocusBack());
    const noteTab = ({ key }) => key === "Tab" && (this.tabbed = performance.now());
    this.on(document, "keydown", noteTab, true);
  }

  later(ms, work) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (!this.destroyed) work();
    }, ms);
    this.timers.add(timer);
    return timer;
  }

  // Release the leases of unanswered items, instead of letting them expire.
  release() {
    const leased = this.current && this.current.ticket ? [this.current, ...this.ready] : this.ready;
    const tickets = [...new Set(leased.map((item) => item.ticket).filter(Boolean))];
    if (!tickets.length || this.destroyed) return;
    try {
      Promise.resolve(this.transport({ do: "release", tickets })).catch(() => {});
    } catch {
      // The leases will expire.
    }
  }

  // The page was left and comes back: its items may be leased to others by now.
  startOver() {
    this.ready = [];
    this.fetch();
  }

  onVisibility() {
    if (document.hidden) {
      this.hiddenSince = performance.now();
    } else if (this.hiddenSince !== undefined) {
      this.hiddenMs += performance.now() - this.hiddenSince;
      this.hiddenSince = undefined;
      this.wake();
    }
  }

  // A click into a frame moves the focus there, and the keys with it; after Tab it may stay there.
  takeFocusBack() {
    if (performance.now() - this.tabbed < 200) return;
    setTimeout(() => {
      const active = this.root.getRootNode().activeElement;
      if (active?.tagName === "IFRAME" && this.root.contains(active)) {
        this.root.focus({ preventScroll: true });
      }
    });
  }

  followTheme() {
    const apply = () => {
      this.root.dataset.theme = surroundingTheme();
    };
    apply();
    const observer = new MutationObserver(apply);
    for (const element of [document.documentElement, document.body]) {
      observer.observe(element, {
        attributeFilter: ["class", "data-theme", "data-jp-theme-light", "data-color-mode"],
      });
    }
    this.unlisten.push(() => observer.disconnect());
  }

  // Messages -------------------------------------------------------------------------------------

  // Send a message once, and wait for the reply until the timeout.
  async ask(message) {
    const number = ++this.nSent;
    let timer;
    const timeout = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("no reply")), this.options.timeoutMs);
    });
    try {
      const reply = await Promise.race([this.transport(message), timeout]);
      if (reply === null || typeof reply !== "object") throw new Error("no reply");
      if (this.destroyed) return reply;
      if (reply.ok || !reply.retry) this.onConnected();
      this.readReply(reply, number);
      return reply;
    } finally {
      clearTimeout(timer);
    }
  }

  readReply(reply, number) {
    if (number < this.newestReply) return; // a newer one was read already
    this.newestReply = number;
    if (Array.isArray(reply.classes)) this.updateClasses(reply.classes);
    if (reply.state) this.state = reply.state;
    this.renderState();
  }

  updateClasses(classes) {
    if (isSameList(classes, this.classes)) return;
    this.classes = classes;
    this.renderClasses();
  }

  enqueue(message, hooks = {}) {
    this.queue.push({ message: { ...message, key: newKey() }, tried: false, ...hooks });
    this.renderStatus();
    this.pump();
    return this.queue.at(-1);
  }

  // Send the queued messages in order, with retries; for some time even after destroy.
  async pump() {
    if (this.pumping) return;
    this.pumping = true;
    while (this.queue.length && !(this.destroyed && this.failures > 5)) {
      const job = this.queue[0];
      job.tried = true;
      const reply = await this.attempt(job.message);
      if (!reply) continue;
      this.queue.shift();
      if (reply.ok) job.done?.(reply);
      else job.failed?.(reply.error);
      this.renderStatus();
    }
    this.pumping = false;
  }

  // Return the reply; or null after a wait, if the message should be sent again.
  async attempt(message) {
    try {
      const reply = await this.ask(message);
      if (reply.ok || !reply.retry) return reply;
      this.onFailure(reply.error);
    } catch (error) {
      this.onFailure(`Connection lost${error?.message ? ` (${error.message})` : ""}.`);
    }
    await this.pause();
    return null;
  }

  pause() {
    const ms = Math.min(this.options.retryMs * 2 ** (this.failures - 1), 10000);
    return new Promise((resolve) => {
      const timer = setTimeout(() => end(), ms);
      const end = () => {
        clearTimeout(timer);
        this.waiting.delete(end);
        resolve();
      };
      this.waiting.add(end);
    });
  }

  wake() {
    for (const end of [...this.waiting]) end();
  }

  onFailure(reason) {
    this.failures = Math.min(this.failures + 1, 10);
    this.trouble = reason;
    this.renderStatus();
    if (this.failures === 1) this.announce(this.parts.status.textContent);
  }

  onConnected() {
    if (!this.failures) return;
    this.failures = 0;
    this.trouble = "";
    this.wake();
    this.renderStatus();
    this.announce("Connected again.");
  }

  // Load the next items ahead.
  async fetch() {
    const wanted = this.options.prefetch;
    if (this.fetching || this.destroyed || this.ready.length > wanted - 2) return;
    this.fetching = true;
    const message = { do: "next", n: wanted + 1 - this.ready.length, key: newKey() };
    let reply = null;
    while (!reply && !this.destroyed) reply = await this.attempt(message);
    this.fetching = false;
    if (this.destroyed) return;
    if (!reply.ok) {
      this.fail(reply.error);
      this.fetchLater(10 * this.options.retryMs);
      return;
    }
    this.add(reply.items ?? []);
    if (reply.items?.length) this.fetch();
  }

  fetchLater(ms) {
    clearTimeout(this.nextFetch);
    this.nextFetch = this.later(ms, () => this.fetch());
  }

  add(items) {
    const loadedAt = performance.now();
    for (const item of items) {
      if (this.holds(item.id)) continue;
      this.ready.push({ ...item, loadedAt });
    }
    this.exhausted = !items.length && !this.ready.length;
    if (!items.length) this.fetchLater(20 * this.options.retryMs); // others may release some
    if (!this.current && this.ready.length) this.advance();
    else if (!this.current) this.render();
    this.prepare();
  }

  holds(id) {
    if (this.current?.id === id) return true;
    const waits = (job) => job.message.id === id && job.message.do !== "undo";
    return this.ready.some((item) => item.id === id) || this.queue.some(waits);
  }

  // Build the next items before they are needed, so that images are decoded.
  prepare() {
    for (const item of this.ready) {
      if (item.content) nodeOf(item);
    }
    const empty = [this.visibleItem(), ...this.ready].find((item) => item && !item.content);
    if (empty) this.load(empty);
  }

  // Load the content of an item that came without.
  async load(item) {
    if (item.loading) return;
    item.loading = true;
    const reply = await this.attempt({ do: "show", id: item.id });
    item.loading = false;
    if (this.destroyed) return;
    if (reply && !reply.ok) item.content = { type: "problem", text: reply.error };
    else if (reply?.item) item.content = reply.item.content;
    if (item === this.visibleItem()) this.render();
    this.prepare();
  }

  poll() {
    const ms = this.state.fitting ? 4 * this.options.retryMs : 20 * this.options.retryMs;
    this.later(ms, async () => {
      if (!document.hidden && !this.queue.length && !this.fetching) {
        await this.ask({ do: "state" }).catch(() => {});
      }
      this.poll();
    });
  }

  // Answering ------------------------------------------------------------------------------------

  // Return the item on screen.
  visibleItem() {
    return this.cursor === null ? this.current : this.past[this.cursor];
  }

  // Make the next item the current one; leases that end soon are not used.
  advance() {
    const limit = performance.now() - 900 * (this.state.lease_seconds ?? Infinity);
    this.ready = this.ready.filter((item) => item.loadedAt > limit);
    this.current = this.ready.shift() ?? null;
    if (this.cursor === null) this.begin();
    this.fetch();
  }

  // Show an item, and begin to measure the time.
  begin() {
    const item = this.visibleItem();
    this.shownAt = performance.now();
    this.hiddenMs = 0;
    this.picked = Array.isArray(item?.label) ? [...item.label] : [];
    this.clearSearch();
    this.hideSuggestion();
    this.render();
    if (item && !item.content) this.load(item);
    if (item) {
      const detail = { id: item.id };
      this.root.dispatchEvent(new CustomEvent("skactive:shown", { detail, bubbles: true }));
    }
  }

  seconds() {
    return Math.max(0, Math.round(performance.now() - this.shownAt - this.hiddenMs) / 1000);
  }

  answer(kind, label = null) {
    const item = this.visibleItem();
    if (!item || !item.content) return;
    const isPast = this.cursor !== null;
    const before = isPast ? { kind: item.kind, label: item.label } : null;
    const again = kind === "label" && before?.kind === "label";
    const message = { do: again ? "relabel" : kind, id: item.id };
    if (kind === "label") Object.assign(message, { label, seconds: this.seconds() });
    if (item.ticket) message.ticket = item.ticket;
    Object.assign(item, { kind: kind === "dont_know" ? "unknown" : kind, label });
    const action = { item, before };
    this.actions.push(action);
    action.job = this.enqueue(message, { failed: (error) => this.onRefusal(action, error) });
    this.moveOn(isPast);
    this.announce(`${describeAnswer(item)}. ${this.summary()}`);
  }

  moveOn(wasPast) {
    this.clearError();
    if (wasPast) {
      this.go(1);
    } else {
      this.past.push(this.current);
      this.forgetNodes();
      this.advance();
    }
  }

  // An answer was refused: ask about the item again.
  onRefusal(action, error) {
    this.actions = this.actions.filter((other) => other !== action);
    this.queue = this.queue.filter((job) => job.tried || job.of !== action);
    if (!action.isUndone) this.reopen(action);
    this.fail(error);
  }

  // Restore the earlier answer of an item, and show the item.
  reopen({ item, before }) {
    if (before) {
      Object.assign(item, before);
      this.cursor = this.past.indexOf(item);
    } else {
      this.past = this.past.filter((other) => other !== item);
      this.askAgain(item);
    }
    this.begin();
  }

  askAgain(item) {
    if (this.current && this.current !== item) this.ready.unshift(this.current);
    const { kind, label, ...rest } = item;
    this.current = { ...rest, label: Array.isArray(label) ? label : undefined, was: { kind, label } };
    this.cursor = null;
    this.exhausted = false;
  }

  undo() {
    const action = this.actions.pop();
    this.clearError();
    if (!action) {
      this.enqueue({ do: "undo" }, {
        done: (reply) => this.onUndone(reply.item),
        failed: (error) => this.fail(error),
      });
      return;
    }
    action.isUndone = true;
    const index = this.queue.indexOf(action.job);
    if (index >= 0 && !action.job.tried) this.queue.splice(index, 1); // it was never sent
    else this.enqueue({ do: "undo" }, { of: action, failed: (error) => this.fail(error) });
    this.reopen(action);
    this.renderStatus();
    this.announce(`Undone. ${this.summary()}`);
  }

  // The session undid an answer from before this page was opened.
  onUndone(item) {
    if (!item) {
      this.fail("There is nothing to undo.");
      return;
    }
    this.ready = this.ready.filter((other) => other.id !== item.id);
    this.askAgain({ ...item, loadedAt: performance.now() });
    this.begin();
    this.announce(`Undone. ${this.summary()}`);
  }

  // Go back or forward among the items answered here.
  go(step) {
    const index = (this.cursor ?? this.past.length) + step;
    if (index < 0 || index > this.past.length) return;
    this.cursor = index === this.past.length ? null : index;
    this.begin();
    this.announce(this.summary());
  }

  forgetNodes() {
    const old = this.past[this.past.length - 1 - MAX_NODES];
    if (old) Object.assign(old, { content: null, node: null });
  }

  pick(label) {
    if (!this.visibleItem()) return;
    if (!this.state.multilabel) {
      this.answer("label", label);
      return;
    }
    const on = this.picked.includes(label);
    this.picked = on ? this.picked.filter((other) => other !== label) : [...this.picked, label];
    this.renderPicked();
    this.announce(`${name(label)} ${on ? "off" : "on"}`);
  }

  submit() {
    this.answer("label", this.classes.filter((label) => this.picked.includes(label)));
  }

  async suggest() {
    const item = this.visibleItem();
    if (!item || this.suggesting) return;
    this.suggesting = true;
    let reply;
    try {
      reply = await this.ask({ do: "suggest", id: item.id });
    } catch {
      reply = { ok: false, error: "No connection. Try again." };
    }
    this.suggesting = false;
    if (this.destroyed || item !== this.visibleItem()) return;
    if (reply.ok) this.showSuggestion(reply.suggestion);
    else this.fail(reply.error);
  }

  addClass(text) {
    const trimmed = text.trim();
    if (!trimmed) return;
    const numbers = this.classes.length && this.classes.every((c) => typeof c === "number");
    const label = numbers && Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed;
    this.enqueue({ do: "add_class", label }, {
      done: () => this.announce(`Class ${trimmed} added.`),
      failed: (error) => this.fail(error),
    });
    this.toggleForm(false);
  }

  // Keys -----------------------------------------------------------------------------------------

  onKey(event) {
    if (event.isComposing || event.defaultPrevented) return;
    const target = event.composedPath()[0];
    const inside = this.root.contains(target);
    const typing = isField(target);
    if (typing && !inside) return;
    if (this.handleKey(event, target, typing)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  // Handle a key, and return whether it has a meaning here.
  handleKey(event, target, typing) {
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.altKey && !event.shiftKey && keyName(event) === "z") {
      if (typing && target.value) return false; // the field has its own undo
      if (!event.repeat) this.undo();
      return true;
    }
    if (command || event.altKey) return false;
    if (target === this.search) return this.handleSearchKey(event);
    if (typing) return this.handleFormKey(event);
    return this.handlePlainKey(event, target);
  }

  handlePlainKey(event, target) {
    const key = keyName(event);
    const isMedia = target?.tagName === "AUDIO";
    const does = {
      s: () => this.answer("skip"),
      d: () => this.answer("dont_know"),
      u: () => this.undo(),
      "?": () => this.suggest(),
      p: () => this.playPause(),
      ArrowLeft: isMedia ? undefined : () => this.go(-1),
      ArrowRight: isMedia ? undefined : () => this.go(1),
      Escape: this.cursor === null ? undefined : () => this.go(this.past.length - this.cursor),
      Enter: this.state.multilabel && !this.isAction(target) ? () => this.submit() : undefined,
    }[key];
    const label = this.classOfKey(key);
    if (!does && label === undefined) return this.startSearch(event.key);
    if (event.repeat) return true; // why: a key that is held down must answer once
    if (does) does();
    else this.pick(label);
    return true;
  }

  classOfKey(key) {
    const index = this.classes.findIndex((_, other) => this.keyOfClass(other) === key);
    return index >= 0 ? this.classes[index] : undefined;
  }

  // The key of a class is its number, counted from 1; if all classes are digits, the digit.
  keyOfClass(index) {
    const digits = this.classes.every((label) => /^[0-9]$/.test(name(label)));
    if (digits) return name(this.classes[index]);
    return index < 9 ? String(index + 1) : this.isMany() ? "" : LETTER_KEYS[index - 9];
  }

  // Letters go to the search field, if there is one.
  startSearch(key) {
    if (this.isMany() && /^[\p{L}\p{N}/]$/u.test(key)) this.search.focus();
    return key === "/" && this.isMany();
  }

  handleSearchKey(event) {
    const does = {
      ArrowDown: () => this.moveActive(1),
      ArrowUp: () => this.moveActive(-1),
      Enter: () => this.chooseActive(),
      Escape: () => (this.search.value ? this.clearSearch() : this.root.focus()),
    }[event.key];
    if (event.key === "?" && !this.search.value) this.suggest();
    else if (does && !(event.repeat && event.key === "Enter")) does();
    return Boolean(does) || (event.key === "?" && !this.search.value);
  }

  handleFormKey(event) {
    if (event.key === "Enter" && !event.repeat) this.addClass(this.classField.value);
    if (event.key === "Escape") this.toggleForm(false);
    return event.key === "Enter" || event.key === "Escape";
  }

  isAction(target) {
    return target?.tagName === "BUTTON" && !this.buttons.includes(target);
  }

  playPause() {
    const sound = this.parts.item.querySelector("audio");
    if (sound?.paused) sound.play().catch(() => {});
    else sound?.pause();
  }

  focusHome() {
    (this.isMany() ? this.search : this.root).focus({ preventScroll: true });
  }

  // Rendering ------------------------------------------------------------------------------------

  build() {
    const { root } = this;
    root.classList.add("ska");
    root.tabIndex = -1;
    root.setAttribute("role", "region");
    const id = (part) => `${this.prefix}-${part}`;
    this.search = h("input", {
      class: "ska-search", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      placeholder: "Search for a class", "aria-label": "Search for a class", "aria-expanded": "true",
      "aria-controls": id("options"), "aria-autocomplete": "list",
      oninput: () => this.renderOptions(),
    });
    this.classField = h("input", {
      class: "ska-search", type: "text", "aria-label": "Name of the new class", maxlength: "200",
      placeholder: "Name of the new class",
    });
    const action = (text, key, keys, does) =>
      h("button", { class: "ska-action", type: "button", "aria-keyshortcuts": keys, onclick: does },
        text, h("kbd", { "aria-hidden": "true" }, key));
    const p = (this.parts = {
      title: h(`h${this.options.heading}`, { class: "ska-title" }),
      status: h("span", { class: "ska-status" }),
      bar: h("progress", { class: "ska-bar", "aria-label": "Rows labeled", max: "1", value: "0" }),
      counts: h("p", { class: "ska-counts" }),
      stop: h("p", { class: "ska-stop", role: "status", hidden: "" }),
      error: h("div", { class: "ska-error", role: "alert", "aria-live": "assertive" }),
      past: h("p", { class: "ska-past", hidden: "" }),
      item: h("div", { class: "ska-item", tabindex: "0", role: "group", "aria-label": "Item" }),
      classes: h("div", { class: "ska-classes", role: "group", "aria-label": "Classes" }),
      finder: h("div", { class: "ska-finder", hidden: "" }),
      options: h("div", { class: "ska-options", role: "listbox", id: id("options"), "aria-label": "Classes" }),
      more: h("p", { class: "ska-more", hidden: "" }),
      picked: h("p", { class: "ska-picked", hidden: "" }),
      submit: h("button", { class: "ska-submit", type: "button", "aria-keyshortcuts": "Enter",
        hidden: "", onclick: (event) => this.onClick(event, () => this.submit()) },
        "Submit", h("kbd", { "aria-hidden": "true" }, "Enter")),
      suggestion: h("div", { class: "ska-suggestion", role: "status" }),
      form: h("div", { class: "ska-form", hidden: "" }),
      back: action("Back", "←", "ArrowLeft", () => this.go(-1)),
      forward: action("Forward", "→", "ArrowRight", () => this.go(1)),
      skip: action("Skip", "S", "s", (event) => this.onClick(event, () => this.answer("skip"))),
      unknown: action("Don't know", "D", "d",
        (event) => this.onClick(event, () => this.answer("dont_know"))),
      undo: action("Undo", "U", "u Control+Z", () => this.undo()),
      suggest: action("Suggest", "?", "?", () => this.suggest()),
      add: h("button", { class: "ska-action", type: "button", "aria-expanded": "false",
        onclick: () => this.toggleForm() }, "New class"),
      accuracy: h("p", { class: "ska-accuracy" }),
      curve: h("div", { class: "ska-curve" }),
      tally: h("p", { class: "ska-tally" }),
      live: h("div", { class: "ska-hidden", role: "status", "aria-live": "polite" }),
    });
    p.finder.append(this.search, p.options, p.more);
    p.form.append(
      this.classField,
      h("button", { class: "ska-action", type: "button", onclick: () => this.addClass(this.classField.value) }, "Add"),
      h("button", { class: "ska-action", type: "button", onclick: () => this.toggleForm(false) }, "Cancel"),
    );
    root.replaceChildren(
      h("div", { class: "ska-head" }, p.title, p.status),
      p.bar, p.counts, p.stop, p.error, p.past, p.item,
      p.picked, p.classes, p.finder, p.submit,
      h("div", { class: "ska-actions", role: "group", "aria-label": "Actions" },
        p.back, p.forward, p.skip, p.unknown, p.undo, p.suggest, p.add),
      p.form, p.suggestion,
      h("div", { class: "ska-foot" }, p.curve, h("div", {}, p.accuracy, p.tally)),
      p.live,
    );
    this.buttons = [];
    this.renderState();
  }

  // Ignore the second click of a double click: it was meant for the item before.
  onClick(event, does) {
    const now = performance.now();
    if (event.detail > 1 && now - this.lastClick < DOUBLE_CLICK_MS) return;
    this.lastClick = now;
    does();
  }

  isMany() {
    return this.classes.length > MAX_BUTTONS;
  }

  render() {
    const hadFocus = this.root.contains(this.root.getRootNode().activeElement);
    this.renderItem();
    this.renderPast();
    this.renderPicked();
    this.renderStatus();
    const active = this.root.getRootNode().activeElement;
    const lost = !this.root.contains(active) || active?.disabled;
    if (hadFocus && lost) this.root.focus({ preventScroll: true });
  }

  renderItem() {
    const { item } = this.parts;
    const shown = this.visibleItem();
    const node = shown ? (shown.content ? nodeOf(shown) : notice("Loading…")) : this.emptyNotice();
    item.setAttribute("aria-busy", String(Boolean(shown && !shown.content)));
    if (item.firstChild === node) return;
    item.querySelectorAll("audio").forEach((sound) => sound.pause());
    item.replaceChildren(node);
    item.scrollTop = 0;
  }

  emptyNotice() {
    if (this.exhausted) return notice("There is nothing left to label. Thank you!");
    return notice("Loading the next item…");
  }

  renderPast() {
    const { past, back, forward, skip, unknown, suggest } = this.parts;
    const shown = this.visibleItem();
    past.hidden = this.cursor === null && !shown?.was?.kind;
    if (this.cursor !== null) {
      const steps = this.past.length - this.cursor;
      past.textContent = `${steps} back. ${describeAnswer(shown)}. Answer again to change it, or press → to go forward.`;
    } else if (shown?.was?.kind) {
      past.textContent = `Undone: ${describeAnswer(shown.was).toLowerCase()}`;
    }
    back.disabled = (this.cursor ?? this.past.length) === 0;
    forward.disabled = this.cursor === null;
    skip.disabled = unknown.disabled = suggest.disabled = !shown;
  }

  renderClasses() {
    const { classes, finder, submit } = this.parts;
    const many = this.isMany();
    classes.hidden = many || !this.classes.length;
    finder.hidden = !many;
    submit.hidden = !this.state.multilabel;
    this.buttons = many ? [] : this.classes.map((label, index) => this.classButton(label, index));
    const focused = this.root.getRootNode().activeElement;
    const index = [...classes.children].indexOf(focused);
    classes.replaceChildren(...this.buttons);
    if (index >= 0) (this.buttons[index] ?? this.root).focus({ preventScroll: true });
    this.renderOptions();
    this.renderPicked();
  }

  classButton(label, index) {
    const key = this.keyOfClass(index);
    return h("button", {
      class: "ska-class", type: "button", "aria-keyshortcuts": key,
      onclick: (event) => this.onClick(event, () => this.pick(label)),
    }, h("span", {}, name(label)), h("kbd", { "aria-hidden": "true" }, key.toUpperCase()));
  }

  renderOptions() {
    const { options, more } = this.parts;
    if (!this.isMany()) return;
    this.matching = matches(this.classes, this.search.value);
    const shown = this.matching.slice(0, MAX_OPTIONS);
    options.replaceChildren(...shown.map((label, index) => this.option(label, index)));
    const rest = this.matching.length - shown.length;
    more.hidden = rest === 0 && shown.length > 0;
    more.textContent = rest ? `${count(rest)} more: type to narrow the list` : "No matching class";
    this.setActive(this.search.value && shown.length ? 0 : -1);
    this.renderPicked();
  }

  option(label, index) {
    const key = this.keyOfClass(this.classes.indexOf(label));
    return h("div", {
      class: "ska-option", role: "option", id: `${this.prefix}-option-${index}`,
      "aria-selected": "false",
      onmousedown: (event) => event.preventDefault(), // why: the focus must stay in the field
      onclick: (event) => this.onClick(event, () => this.pick(label)),
    }, h("span", {}, name(label)), key && h("kbd", { "aria-hidden": "true" }, key));
  }

  setActive(index) {
    this.active = index;
    const options = [...this.parts.options.children];
    options.forEach((option, other) => option.classList.toggle("ska-active", other === index));
    if (index < 0) {
      this.search.removeAttribute("aria-activedescendant");
    } else {
      this.search.setAttribute("aria-activedescendant", options[index].id);
      options[index].scrollIntoView({ block: "nearest" });
    }
    if (!this.state.multilabel) this.renderPicked();
  }

  moveActive(step) {
    const n = this.parts.options.children.length;
    if (n) this.setActive((Math.max(this.active, step > 0 ? -1 : 0) + step + n) % n);
  }

  chooseActive() {
    if (this.active >= 0) {
      const label = this.matching[this.active];
      if (this.state.multilabel) this.clearSearch();
      this.pick(label);
    } else if (this.state.multilabel && !this.search.value) {
      this.submit();
    }
  }

  clearSearch() {
    if (!this.search.value && this.active === -1) return;
    this.search.value = "";
    this.renderOptions();
  }

  renderPicked() {
    const { picked, options } = this.parts;
    const several = Boolean(this.state.multilabel);
    const shown = this.visibleItem();
    const past = this.cursor !== null && shown?.kind === "label" && !several ? [shown.label] : [];
    const chosen = several ? this.picked : past;
    this.buttons.forEach((button, index) => {
      const on = chosen.includes(this.classes[index]);
      button.disabled = !shown;
      button.classList.toggle("ska-chosen", on);
      if (several || this.cursor !== null) button.setAttribute("aria-pressed", String(on));
      else button.removeAttribute("aria-pressed");
    });
    [...options.children].forEach((option, index) => {
      const on = several ? chosen.includes(this.matching[index]) : index === this.active;
      option.setAttribute("aria-selected", String(on));
      option.classList.toggle("ska-chosen", chosen.includes(this.matching[index]));
    });
    options.setAttribute("aria-multiselectable", String(several));
    picked.hidden = !(several && this.isMany() && this.picked.length);
    picked.textContent = `Picked: ${this.picked.map(name).join(", ")}`;
  }

  renderState() {
    const { state, parts } = this;
    const title = this.options.title || state.title || "Labeling";
    parts.title.textContent = title;
    this.root.setAttribute("aria-label", title);
    if (parts.submit.hidden === Boolean(state.multilabel)) this.renderClasses();
    if (state.n_rows === undefined) return;
    if (!this.classes.length && !this.invited) this.toggleForm((this.invited = true), false);
    parts.bar.max = Math.max(state.n_rows, 1);
    parts.bar.value = state.n_labeled;
    parts.counts.textContent = describeCounts(state);
    setText(parts.stop, state.stop_reason ? `You may stop now: ${state.stop_reason}` : "");
    parts.stop.hidden = !state.stop_reason;
    if (state.problem !== this.problem) this.fail(state.problem && `Problem with the model: ${state.problem}`);
    this.problem = state.problem;
    parts.accuracy.textContent = describeAccuracy(state);
    parts.tally.textContent = describeTally(state);
    this.renderCurve(state.curve ?? []);
  }

  renderCurve(points) {
    const drawn = JSON.stringify(points);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.parts.curve.replaceChildren(...(points.length > 1 ? [curve(points)] : []));
  }

  renderStatus() {
    const { status } = this.parts;
    const n = this.queue.length;
    const answers = n === 1 ? "1 answer is" : `${n} answers are`;
    if (this.failures) {
      setText(status, `${this.trouble} ${n ? `${answers} kept here and will be sent again.` : "Trying again."}`);
    } else {
      setText(status, n > 1 ? `Saving ${n}…` : n ? "Saving…" : this.past.length ? "Saved" : "");
    }
    status.classList.toggle("ska-lost", this.failures > 0);
  }

  showSuggestion(ranking) {
    const { suggestion } = this.parts;
    if (!ranking?.length) {
      suggestion.replaceChildren(notice("There is no model yet to suggest a class."));
      return;
    }
    const rows = ranking.slice(0, 5).map(([label, share]) =>
      h("li", {}, h("span", {}, name(label)),
        share === null ? "" : h("meter", { value: share, max: "1", "aria-label": name(label) }),
        share === null ? "" : h("span", {}, `${Math.round(100 * share)} %`)));
    suggestion.replaceChildren(notice("The model suggests"), h("ol", {}, ...rows));
  }

  hideSuggestion() {
    this.parts.suggestion.replaceChildren();
  }

  toggleForm(open = this.parts.form.hidden, focus = true) {
    const { form, add } = this.parts;
    form.hidden = !open;
    add.setAttribute("aria-expanded", String(open));
    this.classField.value = "";
    if (focus) (open ? this.classField : add).focus({ preventScroll: true });
  }

  fail(text) {
    setText(this.parts.error, text ?? "");
  }

  clearError() {
    if (!this.problem) this.fail("");
  }

  announce(text) {
    this.parts.live.textContent = text;
  }

  summary() {
    const item = this.visibleItem();
    if (!item) return this.exhausted ? "Nothing left to label." : "Loading.";
    const { content } = item;
    if (!content) return "The next item is loading.";
    const what = { text: content.text, problem: content.text, image: content.alt, table: "a table" };
    return `Next: ${String(what[content.type] ?? content.type).slice(0, 300)}`;
  }
}

// Elements ---------------------------------------------------------------------------------------

// Make an element. Strings become text nodes: they are never parsed as HTML.
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function notice(text) {
  return h("p", { class: "ska-notice" }, text);
}

// Screen readers read a live region when its text is set, so set it only if it changes.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function nodeOf(item) {
  item.node ??= (CONTENTS[item.content.type] ?? CONTENTS.unknown)(item.content);
  return item.node;
}

const CONTENTS = {
  text: ({ text }) => h("div", { class: "ska-text", dir: "auto" }, text),
  problem: ({ text }) => h("div", { class: "ska-problem" }, text),
  unknown: ({ type }) => h("div", { class: "ska-problem" }, `This page cannot show the type "${type}".`),
  image: imageNode,
  audio: ({ src }) =>
    isData(src, "audio")
      ? h("audio", { controls: "", preload: "auto", src, "aria-label": "The sound to be labeled" })
      : CONTENTS.problem({ text: "This page cannot show sounds from other sites." }),
  table: ({ rows }) =>
    h("table", { class: "ska-table" }, h("tbody", {}, ...rows.map(([key, value]) =>
      h("tr", {}, h("th", { scope: "row" }, key), h("td", { dir: "auto" }, value))))),
  html: ({ html }) => {
    const frame = h("iframe", { class: "ska-frame", sandbox: "", title: "The item to be labeled" });
    frame.srcdoc =
      `<!doctype html><meta charset="utf-8">` +
      `<meta http-equiv="Content-Security-Policy" content="${FRAME_POLICY}">` +
      `<base target="_blank"><style>body{margin:.75rem;font:1rem/1.5 sans-serif;` +
      `background:#fff;color:#111;overflow-wrap:anywhere}</style>` +
      `<body tabindex="0">${html}`; // so that Tab can reach it, and keys can scroll
    return frame;
  },
};

function imageNode({ src, alt }) {
  if (!isData(src, "image")) {
    return CONTENTS.problem({ text: "This page cannot show images from other sites." });
  }
  const image = h("img", { class: "ska-image", src, alt: alt || "the image to be labeled" });
  image.addEventListener("load", () => {
    const side = Math.max(image.naturalWidth, image.naturalHeight);
    if (side < 120) image.classList.add("ska-tiny");
  });
  image.decode().catch(() => {});
  return image;
}

function isData(src, kind) {
  return typeof src === "string" && src.startsWith(`data:${kind}/`);
}

function curve(points) {
  const [width, height, pad] = [180, 56, 4];
  const xs = points.map(([n]) => n);
  const ys = points.map(([, score]) => score);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const x = (n) => pad + ((n - left) / (right - left || 1)) * (width - 2 * pad);
  const share = (s) => (high > low ? (s - low) / (high - low) : 0.5);
  const y = (s) => height - pad - share(s) * (height - 2 * pad);
  const [first, last] = [points[0], points.at(-1)];
  const title =
    `Learning curve: accuracy ${percent(first[1])} with ${count(first[0])} labels, ` +
    `${percent(last[1])} with ${count(last[0])}`;
  const figure = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  const path = points.map(([n, s]) => `${x(n).toFixed(1)},${y(s).toFixed(1)}`).join(" ");
  figure.append(
    svg("polyline", { points: path, fill: "none", stroke: "currentColor", "stroke-width": 2 }),
    svg("circle", { cx: x(last[0]), cy: y(last[1]), r: 3, fill: "currentColor" }),
  );
  return figure;
}

function svg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// Texts ------------------------------------------------------------------------------------------

function name(label) {
  return label === "" ? "(empty)" : String(label);
}

function describeAnswer({ kind, label }) {
  if (kind === "skip") return "Skipped";
  if (kind === "unknown") return "Don't know";
  const names = Array.isArray(label) ? label.map(name).join(", ") || "none" : name(label);
  return `Labeled ${names}`;
}

function count(n) {
  return Number(n).toLocaleString("en");
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function describeCounts(state) {
  const parts = [`${count(state.n_labeled)} of ${count(state.n_rows)} labeled`];
  if (state.mine) parts.push(`${count(state.mine)} by you`);
  if (state.n_skipped) parts.push(`${count(state.n_skipped)} skipped`);
  if (state.n_unknown) parts.push(`${count(state.n_unknown)} unknown`);
  return parts.join(" · ");
}

function describeAccuracy(state) {
  if (!state.accuracy) return state.fitting ? "A model is being fitted…" : "";
  const [value, low, high] = state.accuracy;
  return `Accuracy ${percent(value)} (95 % interval ${percent(low)} to ${percent(high)})`;
}

function describeTally(state) {
  const used = (state.counts ?? []).filter(([, n]) => n > 0);
  const top = used.sort((a, b) => b[1] - a[1]).slice(0, MAX_BUTTONS);
  const rest = used.length > MAX_BUTTONS ? ` · and ${count(used.length - MAX_BUTTONS)} more classes` : "";
  return top.map(([label, n]) => `${name(label)}: ${count(n)}`).join(" · ") + rest;
}

// Helpers ----------------------------------------------------------------------------------------

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Return the key that was pressed, on keyboards of any language.
function keyName({ key, code, shiftKey }) {
  if (key.length !== 1 || /^[a-z0-9]$/i.test(key)) return key.length === 1 ? key.toLowerCase() : key;
  const digit = /^Digit([0-9])$/.exec(code ?? ""); // French keyboards have signs there
  if (digit && !shiftKey) return digit[1];
  const letter = /^Key([A-Z])$/.exec(code ?? ""); // Cyrillic, Greek, ...
  return letter && !/^[ -~]$/.test(key) ? letter[1].toLowerCase() : key;
}

function plainText(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

// Return the classes that contain the typed text; those that begin with it come first.
function matches(classes, typed) {
  const wanted = plainText(typed.trim());
  if (!wanted) return classes;
  const matching = classes.filter((label) => plainText(name(label)).includes(wanted));
  const begins = (label) => Number(!plainText(name(label)).startsWith(wanted));
  return matching.sort((a, b) => begins(a) - begins(b));
}

function isSameList(a, b) {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function isField(target) {
  if (target?.isContentEditable) return true;
  if (target?.tagName === "TEXTAREA" || target?.tagName === "SELECT") return true;
  const buttons = ["button", "checkbox", "radio", "submit"];
  return target?.tagName === "INPUT" && !buttons.includes(target.type);
}

// Return the theme around the page: "dark", "light", or "" if it is unknown.
function surroundingTheme() {
  const { body, documentElement: html } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  for (const element of [body, html]) {
    const names = `${element.className} ${element.dataset.theme ?? ""}`;
    if (/\b(vscode-)?dark\b/.test(names)) return "dark";
    if (/\b(vscode-)?light\b/.test(names)) return "light";
  }
  return "";
}
