import { type ComponentType, lazy, type ReactNode, Suspense } from "react";

type Ready = () => Promise<void>;

/** A part that is loaded when it is shown first, with what it says; nothing until then. */
export function late<P extends object>(load: () => Promise<ComponentType<P>>, ready: Ready): (props: P) => ReactNode {
  const Part = lazy(async () => {
    const [part] = await Promise.all([load(), ready()]);
    return { default: part };
  });
  return (props) => (
    <Suspense fallback={null}>
      <Part {...props} />
    </Suspense>
  );
}

const managing: Ready = async () => (await import("@/manage")).ready();
const arriving: Ready = async () => (await import("@/newcomers/texts")).ready();

export const ManageEntry = late(async () => (await import("@/manage/entry")).Entry, managing);
export const AcceptRules = late(async () => (await import("@/newcomers/accept-rules")).AcceptRules, arriving);
export const ChooseTemplate = late(async () => (await import("@/manage/choose-template")).ChooseTemplate, managing);
