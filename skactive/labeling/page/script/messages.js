// Messages to the backend: they are sent in order, kept until they are stored, and sent again.

const messaging = {
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
  },

  readReply(reply, number) {
    if (number < this.newestReply) return; // a newer one was read already
    this.newestReply = number;
    if (reply.state) this.state = reply.state;
    if (Array.isArray(reply.classes)) this.updateClasses(reply.classes, reply.keys ?? this.keys);
    this.renderState();
  },

  updateClasses(classes, keys) {
    if (isSameList(classes, this.classes) && JSON.stringify(keys) === JSON.stringify(this.keys)) return;
    const moved = describeMovedKeys(this, { classes, keys });
    Object.assign(this, { classes, keys });
    const { do: what, old, new: renamed } = this.queue[0]?.message ?? {};
    if (what === "rename_class" && !classes.includes(old)) this.replaceLabel(old, renamed);
    const lost = this.picked.filter((label) => !classes.includes(label));
    this.picked = this.picked.filter((label) => classes.includes(label));
    if (lost.length) this.fail(`The class ${lost.map(quote).join(", ")} is gone: pick again.`);
    else if (moved) this.fail(moved);
    this.renderKeys();
    this.renderClasses();
    this.dialog?.update?.();
  },

  enqueue(message, hooks = {}) {
    this.queue.push({ message: { ...message, key: newKey() }, tried: false, ...hooks });
    this.renderStatus();
    this.pump();
    return this.queue.at(-1);
  },

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
      this.renderStatus();
      if (reply.ok) job.done?.(reply);
      else job.failed?.(reply.error);
    }
    this.pumping = false;
  },

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
  },

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
  },

  wake() {
    for (const end of [...this.waiting]) end();
  },

  onFailure(reason) {
    this.failures = Math.min(this.failures + 1, 10);
    this.trouble = reason;
    this.renderStatus();
    if (this.failures === 1) this.announce(this.parts.status.textContent);
  },

  onConnected() {
    if (!this.failures) return;
    this.failures = 0;
    this.trouble = "";
    this.wake();
    this.renderStatus();
    this.announce("Connected again.");
  },

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
  },

  fetchLater(ms) {
    clearTimeout(this.nextFetch);
    this.nextFetch = this.later(ms, () => this.fetch());
  },

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
  },

  holds(id) {
    if (this.current?.id === id) return true;
    const waits = (job) => job.message.id === id && job.message.do !== "undo";
    return this.ready.some((item) => item.id === id) || this.queue.some(waits);
  },

  // Build the next items before they are needed, so that images are decoded.
  prepare() {
    for (const item of this.ready) {
      if (item.content) this.nodeOf(item);
    }
    const empty = [this.visibleItem(), ...this.ready].find((item) => item && !item.content);
    if (empty) this.load(empty);
  },

  // Load the content of an item that came without.
  async load(item) {
    if (item.loading) return;
    item.loading = true;
    const reply = await this.attempt({ do: "show", id: item.id });
    item.loading = false;
    if (this.destroyed) return;
    if (reply && !reply.ok) item.content = { type: "problem", text: reply.error };
    else if (reply?.item) {
      item.content = reply.item.content;
      const { answers } = reply.item;
      if (answers && !this.queue.some(({ message }) => message.id === item.id)) item.answers = answers;
    }
    if (item === this.visibleItem()) {
      this.render();
      this.announce(this.summary());
    }
    this.prepare();
  },

  poll() {
    const ms = this.state.fitting ? 4 * this.options.retryMs : 20 * this.options.retryMs;
    this.later(ms, async () => {
      if (!document.hidden && !this.queue.length && !this.fetching) {
        await this.ask({ do: "state" }).catch(() => {});
      }
      this.poll();
    });
  },
};
