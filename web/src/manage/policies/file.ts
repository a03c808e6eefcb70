/** A value of a file: a text, a list or a mapping, and the line it begins on. */
export type Value =
  | { readonly is: "text"; readonly line: number; readonly text: string }
  | { readonly is: "list"; readonly line: number; readonly items: readonly Value[] }
  | { readonly is: "map"; readonly line: number; readonly entries: readonly Entry[] };

export interface Entry {
  readonly key: string;
  readonly line: number;
  readonly value: Value;
}

export type Why = "file.tab" | "file.name" | "file.twice" | "file.open" | "file.kind" | "file.depth" | "file.after";

/** What is wrong with a file, and on which line. */
export class Unreadable extends Error {
  constructor(
    readonly line: number,
    readonly why: Why,
    readonly what = "",
  ) {
    super(`line ${line}: ${why} ${what}`);
  }
}

interface Line {
  readonly line: number;
  readonly indent: number;
  readonly text: string;
}

/**
 * Reads what policy files are written in: YAML with mappings and lists, by indentation or
 * in brackets, and texts on one line. What YAML has besides (anchors, tags, texts over
 * several lines) is refused, and so is a name that is said twice. Throws `Unreadable`.
 */
export function read(text: string): Value {
  const reader = new Reader(linesOf(text));
  const value = reader.block(0);
  const rest = reader.peek();
  if (rest !== undefined) throw new Unreadable(rest.line, "file.depth");
  return value;
}

function linesOf(text: string): Line[] {
  return text.split(/\r?\n/).flatMap((whole, at) => {
    const bare = withoutComment(whole).trimEnd();
    const content = bare.trimStart();
    if (content === "" || content === "---") return [];
    const indent = bare.length - content.length;
    if (bare.slice(0, indent).includes("\t")) throw new Unreadable(at + 1, "file.tab");
    return [{ line: at + 1, indent, text: content }];
  });
}

/** A comment begins a line, or stands behind a space, and not in quotes. */
function withoutComment(line: string): string {
  let quote = "";
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at] as string;
    if (quote !== "") quote = sign === quote ? "" : quote;
    else if ((sign === "'" || sign === '"') && /^$|[\s,:[{-]$/.test(line.slice(0, at))) quote = sign;
    else if (sign === "#" && /^$|\s$/.test(line.slice(0, at))) return line.slice(0, at);
  }
  return line;
}

const named = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'[\]{},#&*!|>%@`-][^:[\]{},]*?|-[^\s:[\]{},][^:[\]{},]*?)\s*:(?:\s+|$)/;

class Reader {
  #at = 0;

  constructor(readonly lines: Line[]) {}

  peek(): Line | undefined {
    return this.lines[this.#at];
  }

  /** What stands at this indentation or deeper. */
  block(least: number): Value {
    const first = this.peek();
    if (first === undefined || first.indent < least) return { is: "text", line: first?.line ?? 1, text: "" };
    if (isItem(first)) return this.#list(first);
    return named.test(first.text) ? this.#map(first) : this.#inline();
  }

  #list(first: Line): Value {
    const items: Value[] = [];
    for (let line = this.peek(); line !== undefined && line.indent === first.indent && isItem(line); line = this.peek()) {
      const content = line.text.slice(1).trimStart();
      if (content === "") {
        this.#at += 1;
        items.push(this.block(line.indent + 1));
        continue;
      }
      // What follows the dash stands as deep as it does.
      this.lines[this.#at] = { ...line, indent: line.indent + line.text.length - content.length, text: content };
      items.push(this.block(line.indent + 1));
    }
    this.#nothingDeeper(first);
    return { is: "list", line: first.line, items };
  }

  #map(first: Line): Value {
    const entries: Entry[] = [];
    for (let line = this.peek(); line !== undefined && line.indent === first.indent && !isItem(line); line = this.peek()) {
      const found = named.exec(line.text);
      if (found === null) throw new Unreadable(line.line, "file.name", line.text);
      const key = unquoted(found[1] as string);
      const content = line.text.slice(found[0].length);
      this.#at += 1;
      let value: Value;
      if (content !== "") {
        this.#at -= 1;
        this.lines[this.#at] = { ...line, text: content };
        value = this.#inline();
      } else {
        const next = this.peek();
        // A list may stand as deep as the name it belongs to.
        value = this.block(next !== undefined && isItem(next) ? line.indent : line.indent + 1);
      }
      add(entries, { key, line: line.line, value });
    }
    this.#nothingDeeper(first);
    return { is: "map", line: first.line, entries };
  }

  #nothingDeeper(first: Line): void {
    const next = this.peek();
    if (next !== undefined && next.indent > first.indent) throw new Unreadable(next.line, "file.depth");
  }

  /** A value on this line; brackets may be closed on a later one. */
  #inline(): Value {
    const { line, text } = this.lines[this.#at] as Line;
    this.#at += 1;
    if (!/^[[{]/.test(text)) {
      if (/^["']/.test(text)) {
        const flow = new Flow(line, text);
        const value = flow.value();
        flow.end();
        return value;
      }
      if (/^[&*!|>%@`]/.test(text)) throw new Unreadable(line, "file.kind", text);
      if (/:(\s|$)/.test(text)) throw new Unreadable(line, "file.name", text);
      return { is: "text", line, text: plain(text) };
    }
    let whole = text;
    while (depth(whole) > 0) {
      const next = this.peek();
      if (next === undefined) throw new Unreadable(line, "file.open");
      whole += ` ${next.text}`;
      this.#at += 1;
    }
    const flow = new Flow(line, whole);
    const value = flow.value();
    flow.end();
    return value;
  }
}

/** What stands in brackets. */
class Flow {
  #at = 0;

  constructor(
    readonly line: number,
    readonly text: string,
  ) {}

  value(): Value {
    this.#space();
    const { line } = this;
    if (this.#take("[")) {
      const items: Value[] = [];
      while (!this.#closed("]")) {
        items.push(this.value());
        this.#between("]");
      }
      return { is: "list", line, items };
    }
    if (this.#take("{")) {
      const entries: Entry[] = [];
      while (!this.#closed("}")) {
        const key = this.#scalar(/[:,\]}]/);
        this.#space();
        if (!this.#take(":")) throw new Unreadable(line, "file.name", key);
        add(entries, { key, line, value: this.value() });
        this.#between("}");
      }
      return { is: "map", line, entries };
    }
    return { is: "text", line, text: this.#scalar(/[,\]}]/) };
  }

  end(): void {
    this.#space();
    if (this.#at < this.text.length) throw new Unreadable(this.line, "file.after", this.text.slice(this.#at));
  }

  #scalar(until: RegExp): string {
    const rest = this.text.slice(this.#at);
    const quote = /^"(?:[^"\\]|\\.)*"|^'(?:[^']|'')*'/.exec(rest);
    if (quote !== null) {
      this.#at += quote[0].length;
      return unquoted(quote[0]);
    }
    if (/^["']/.test(rest)) throw new Unreadable(this.line, "file.open");
    if (/^[&*!|>%@`]/.test(rest)) throw new Unreadable(this.line, "file.kind", rest);
    const end = rest.search(until);
    const found = end < 0 ? rest : rest.slice(0, end);
    this.#at += found.length;
    return plain(found.trim());
  }

  #between(close: string): void {
    this.#space();
    if (!this.#take(",") && this.text[this.#at] !== close) throw new Unreadable(this.line, "file.open");
  }

  #closed(close: string): boolean {
    this.#space();
    if (this.#at >= this.text.length) throw new Unreadable(this.line, "file.open");
    return this.#take(close);
  }

  #take(sign: string): boolean {
    if (this.text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    while (this.text[this.#at] === " ") this.#at += 1;
  }
}

function isItem({ text }: Line): boolean {
  return text === "-" || text.startsWith("- ");
}

function add(entries: Entry[], entry: Entry): void {
  if (entries.some((one) => one.key === entry.key)) throw new Unreadable(entry.line, "file.twice", entry.key);
  entries.push(entry);
}

/** How many brackets are open, outside of quotes. */
function depth(text: string): number {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/g, "");
  return (bare.match(/[[{]/g)?.length ?? 0) - (bare.match(/[\]}]/g)?.length ?? 0);
}

function plain(text: string): string {
  return text === "~" || text === "null" ? "" : text;
}

function unquoted(text: string): string {
  if (text.startsWith('"')) return text.slice(1, -1).replaceAll(/\\(.)/g, (_, sign: string) => (sign === "n" ? "\n" : sign === "t" ? "\t" : sign));
  return text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : text;
}
