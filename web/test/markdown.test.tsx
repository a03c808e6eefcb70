import { render } from "@testing-library/react";
import { expect, test } from "vitest";

import { isPlain, Markdown, parse } from "@/text/markdown";

const to = {
  person: (id: string) => (id === `usr_${"a".repeat(26)}` ? <b>@Ada</b> : undefined),
  channel: () => undefined,
  role: () => undefined,
  message: () => undefined,
};

function html(text: string): string {
  return render(<Markdown text={text} to={to} />).container.innerHTML;
}

test.each(["<script>x</script>", "<img src=x onerror=y>", "<a href='javascript:x'>y</a>", "<b>"])("%s is text", (text) => {
  const { container } = render(<Markdown text={text} to={to} />);
  expect(container.textContent).toBe(text);
});

test.each(["[x](javascript:alert(1))", "[x](data:text/html,x)", "[x](JaVaScRiPt:x)", "[x](vbscript:x)"])("%s leads nowhere", (text) => {
  expect(html(text)).not.toContain("<a");
});

test("an image is not loaded", () => {
  expect(html("![x](https://example.org/x.png)")).not.toContain("<img");
});

test("links say nothing of where one came from", () => {
  expect(html("see https://example.org/a_b.")).toContain('href="https://example.org/a_b"');
  expect(html("https://example.org")).toContain('rel="noopener noreferrer nofollow"');
});

test("who is mentioned is named; who is unknown stays as it was written", () => {
  const known = `<@usr_${"a".repeat(26)}>`;
  const unknown = `<@usr_${"b".repeat(26)}>`;
  const { container } = render(<Markdown text={`${known} and ${unknown}`} to={to} />);
  expect(container.textContent).toBe(`@Ada and ${unknown}`);
});

test("a line is a line", () => {
  expect(html("one\ntwo")).toContain("<br>");
});

test("what needs no parser is what a parser leaves as it is", () => {
  const words = ["Ada", "zoë", "نعم", "👍", "👍🏽", "3", "1.", "2)", "-", "--", "---", "–", "…", "(x)", "'s", "\"", "!", "$5", "www.a.org", "a/b", "  ", " ", ".", "**b**", "_i_", "`c`", "#", ">", "+", "=", "~~d~~", "\\", "&amp;", "<b>", "[l](u)", "![i](u)", "https://a.org", ":)", "@", "\n", "\n---", "\t"];
  let state = 7;
  const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
  let found = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: 1 + next(6) }, () => words[next(words.length)]).join(next(2) === 0 ? " " : "");
    if (!isPlain(text)) continue;
    found += 1;
    expect(parse(text).children).toMatchObject([{ type: "paragraph", children: [{ type: "text", value: text }] }]);
  }
  expect(found).toBeGreaterThan(1000);
});

test("most of what is said needs no parser", () => {
  expect(["Yes.", "I will be there at seven, and bring the lamp!", "(12) Why not?", "سأكون هناك", "👍"].every(isPlain)).toBe(true);
});
