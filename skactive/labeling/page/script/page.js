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

const MAX_OPTIONS = 100; // classes listed below the search field
const MAX_NODES = 20; // earlier items that keep their content
const DOUBLE_CLICK_MS = 300; // a second click, or the same key, so soon is for the item before

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
    this.keys = { classes: [], commands: {}, help: {}, search: false }; // classes: the key of each, or null
    this.commands = this.makeCommands();
    this.state = {};
    this.dialog = null; // the one that is open
    this.earliest = undefined; // where earlier answers go on; null: there are none
    this.differ = false; // whether only rows with different labels are gone back to
    this.timers = new Set();
    this.nSent = this.newestReply = 0; // messages are numbered; an older reply is ignored
    this.failures = 0;
    this.exhausted = this.fetching = this.pumping = this.destroyed = false;
    this.hiddenMs = 0;
    this.isCut = false; // whether a part of the item is out of view
    this.lastClick = this.tabbed = this.shownAt = this.foundAt = this.undoneAt = -Infinity;
    this.lastKey = this.lastClicked = this.confirming = null;
    this.active = -1;
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
    this.dialog?.close();
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
    this.on(window, "resize", () => this.noteCut());
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
}

Object.assign(Page.prototype, messaging, answering, numbering, keyboard, rendering, reporting, dialogs);
