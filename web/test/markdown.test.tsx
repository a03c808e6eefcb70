import { render } from "@testing-library/react";
import { expect, test } from "vitest";

import { Markdown } from "@/text/markdown";

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
