import { late } from "@/ui/late";

const ready = async (): Promise<void> => (await import("./policies/texts")).ready();

export const WhoMay = late(async () => (await import("./policies/who-may")).WhoMay, ready);
export const PolicyTests = late(async () => (await import("./policies/tests")).PolicyTests, ready);
