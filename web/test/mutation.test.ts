import { act, renderHook } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { useMutation } from "@/ui/mutation";

test("a second press is passed over while the first is done, and taken as soon as it is", async () => {
  let finish: () => void = () => {};
  const work = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)));
  // As it stood before anything was pressed: presses may come before it is drawn anew.
  const { submit } = renderHook(() => useMutation(work)).result.current;
  await act(async () => {
    submit();
    submit();
    expect(work).toHaveBeenCalledTimes(1);
    finish();
    await Promise.resolve().then(() => {}).then(() => {});
    submit();
    expect(work).toHaveBeenCalledTimes(2);
    finish();
  });
});
