const kept = "creavio.emoji";
const usual = ["👍", "💚", "😂", "🎉"];
const most = 24;

/** What was picked lately on this device, the latest first; what most pick, until there is enough. */
export function lately(count: number): readonly string[] {
  return [...new Set([...pickedLately(), ...usual])].slice(0, count);
}

/** What was picked lately on this device, the latest first. */
export function pickedLately(): readonly string[] {
  return (localStorage.getItem(kept) ?? "").split(" ").filter((one) => one !== "");
}

export function picked(emoji: string): void {
  localStorage.setItem(kept, [emoji, ...pickedLately().filter((one) => one !== emoji)].slice(0, most).join(" "));
}
