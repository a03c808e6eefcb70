import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type ReactNode, useState } from "react";
import { afterEach, expect, test } from "vitest";

import { stepped, useReorder } from "@/settings/reorder";

let again: () => void;

/** Rows under two headings, the first of which holds as many as fit. */
function Rows(): ReactNode {
  const [ids, setIds] = useState<readonly string[]>(["one", "two", "three"]);
  const [, redraw] = useState(0);
  again = () => redraw((times) => times + 1);
  const reorder = useReorder(
    (id, by) => setIds(stepped(ids, id, by)),
    () => {},
  );
  return [ids.slice(0, 2), ids.slice(2)].map((shelf, at) => (
    <ul key={at}>
      {shelf.map((id) => (
        <li key={id} {...reorder.row(id)}>
          <button {...reorder.handle(id)}>{id}</button>
        </li>
      ))}
    </ul>
  ));
}

afterEach(cleanup);

test("the focus stays on what was moved, also under another heading", async () => {
  render(<Rows />);
  const user = userEvent.setup();
  screen.getByRole("button", { name: "two" }).focus();
  await user.keyboard("{Alt>}{ArrowDown}{/Alt}");
  expect(screen.getAllByRole("button").map((one) => one.textContent)).toEqual(["one", "three", "two"]);
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "two" }));
});

test("what somebody went to since keeps the focus when the list is drawn again", async () => {
  render(<Rows />);
  const user = userEvent.setup();
  screen.getByRole("button", { name: "two" }).focus();
  await user.keyboard("{Alt>}{ArrowUp}{/Alt}");
  const three = screen.getByRole("button", { name: "three" });
  three.focus();
  act(() => again());
  expect(document.activeElement).toBe(three);
});
