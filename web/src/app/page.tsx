import { App } from "@/ui/app";

export default function Page(): React.ReactNode {
  return <App />;
}
