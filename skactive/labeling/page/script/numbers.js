// Numbers as labels: one field in place of the classes. The texts are read by the rules of _numbers.py.

const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i;
const COMMA = /^([+-]?)([0-9]*),([0-9]+)(?:e[+-]?[0-9]+)?$/i;
const THOUSANDS = /^[1-9][0-9]{0,2},[0-9]{3}$/;
const BEGINS_NUMBER = /^[0-9+\-.,\u2212]$/;
const MAX_QUOTED = 40; // characters

// Return the number that somebody typed, or throw an error that says what to write.
export function readNumber(text, { low = null, high = null, range = "" } = {}) {
  const typed = text.trim().replaceAll("\u2212", "-"); // the minus sign of typography
  if (!typed) throw new Error("Type a number.");
  const written = replaceComma(typed);
  const shown = quote(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
  if (!NUMBER.test(written)) {
    throw new Error(
      `${shown} is not a number: write it with the digits 0 to 9 and at most one decimal point, ` +
      "without units or separators, such as 3.7, -2 or 1e3.",
    );
  }
  const number = Number(written) + 0; // no -0
  if (!Number.isFinite(number)) throw new Error(`${shown} is too large: write a number below 1e308.`);
  if (number === 0 && /[1-9]/.test(written.split(/e/i)[0])) {
    throw new Error(`${shown} is too small to differ from 0: write 0.`);
  }
  if ((low !== null && number < low) || (high !== null && number > high)) {
    throw new Error(`${number} is out of range: the labels of this session are ${range}.`);
  }
  return number;
}

// Return a number with a point for its decimal comma; refuse one that may be read twice.
function replaceComma(typed) {
  const [, sign, whole, rest] = COMMA.exec(typed) ?? [];
  if (rest === undefined) return typed;
  if (THOUSANDS.test(`${whole},${rest}`)) {
    const [large, small] = [`${sign}${whole}${rest}`, `${sign}${whole}.${rest}`];
    throw new Error(
      `${typed} may mean ${large} or ${small}: write ${large} for the one, ${small} or ` +
      `${sign}${whole},${rest}0 for the other.`,
    );
  }
  return typed.replace(",", ".");
}

const numbering = {
  makeEntry() {
    const id = `${this.prefix}-number`;
    this.numberField = h("input", {
      class: "ska-number", type: "text", id, inputmode: "decimal", enterkeyhint: "done",
      autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-range`,
      oninput: () => this.onNumberInput(),
    });
    const sign = h("button", {
      class: "ska-action ska-sign", type: "button", "aria-label": "Change the sign",
      onclick: () => this.changeSign(),
    }, "±");
    const range = h("span", { class: "ska-notice", id: `${id}-range` });
    const entry = h("div", { class: "ska-entry", hidden: "" },
      h("label", { for: id }, "Number"), this.numberField, sign, range);
    return { entry, range, sign };
  },

  onNumberInput() {
    this.lastKey = null; // the next Enter is no bounce, however the text came
    this.numberField.removeAttribute("aria-invalid");
  },

  renderEntry() {
    const { entry, range, sign } = this.parts;
    const { numbers } = this.state;
    entry.hidden = !numbers;
    setText(range, numbers?.range ?? "");
    sign.hidden = (numbers?.low ?? -1) >= 0;
    this.numberField.disabled = !this.visibleItem();
  },

  // Put the number of an earlier answer into the field, so that it can be kept or corrected.
  fillNumber(label) {
    this.numberField.value = typeof label === "number" ? String(label) : "";
    this.numberField.removeAttribute("aria-invalid");
  },

  // Return the focus to the field for the next item, unless it was moved to another control.
  focusNumber() {
    const { root, numberField: field } = this;
    const active = root.getRootNode().activeElement;
    if (!this.state.numbers || ![root, field, this.parts.submit].includes(active)) return;
    field.focus({ preventScroll: true });
    field.select();
  },

  submitNumber() {
    if (!this.visibleItem()) return;
    let number;
    try {
      number = readNumber(this.numberField.value, this.state.numbers);
    } catch (error) {
      this.numberField.setAttribute("aria-invalid", "true");
      this.numberField.focus({ preventScroll: true });
      this.fail(error.message);
      return;
    }
    this.answer("label", number);
  },

  // Phones may have no minus sign beside the digits.
  changeSign() {
    const { numberField: field } = this;
    field.value = /^[-\u2212]/.test(field.value) ? field.value.slice(1) : `-${field.value}`;
    field.focus({ preventScroll: true });
  },

  // Letters are no commands in the field; arrows are, while nothing was typed.
  handleNumberKey(event, isBounce) {
    const { numberField: field } = this;
    const isWhole = field.selectionStart === 0 && field.selectionEnd === field.value.length;
    const isBack = this.cursor !== null;
    const does = {
      Enter: isBounce ? () => {} : () => this.submit(),
      Escape: () => (isBack ? this.go(this.past.length - this.cursor) : this.root.focus()),
      ArrowLeft: isWhole && !event.shiftKey ? () => this.back() : undefined,
      ArrowRight: isWhole && !event.shiftKey && isBack ? () => this.go(1) : undefined,
    }[event.key];
    if (!event.repeat) does?.();
    return Boolean(does);
  },
};
