import { type ComponentType, lazy, type ReactNode, Suspense } from "react";

/** A part of `@/manage` that is loaded when it is shown first, with what it says; nothing until then. */
function late<P extends object>(load: () => Promise<ComponentType<P>>): (props: P) => ReactNode {
  const Part = lazy(async () => {
    const [part, shared, own] = await Promise.all([load(), import("@/settings/texts"), import("@/manage/texts")]);
    await Promise.all([shared.ready(), own.ready()]);
    return { default: part };
  });
  return (props) => (
    <Suspense fallback={null}>
      <Part {...props} />
    </Suspense>
  );
}

export const ManageEntry = late(async () => (await import("@/manage/entry")).Entry);
export const AcceptRules = late(async () => (await import("@/manage/accept-rules")).AcceptRules);
export const ChooseTemplate = late(async () => (await import("@/manage/choose-template")).ChooseTemplate);
