/** Where what is saved goes, piece by piece. */
export interface Sink {
  readonly write: (text: string) => Promise<void>;
  readonly close: () => Promise<void>;
  /** Gives up: nothing is left where it was to be. */
  readonly abort: () => Promise<void>;
}

type Picker = (options: { suggestedName: string }) => Promise<{ createWritable: () => Promise<Writable> }>;
interface Writable {
  write: (text: string) => Promise<void>;
  close: () => Promise<void>;
  abort: () => Promise<void>;
}

/** Hands a file to whoever asked for it. */
export function saveAs(name: string, type: string, parts: readonly BlobPart[]): void {
  const address = URL.createObjectURL(new Blob([...parts], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads it after this returns.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/**
 * A file of the person's own to write to: where the browser lets one be chosen, what is
 * written is kept there and not in memory. Undefined when they chose none.
 */
export async function openFile(name: string, type: string): Promise<Sink | undefined> {
  const picker = (globalThis as { showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (picker === undefined) {
    const parts: string[] = [];
    return {
      write: async (text) => void parts.push(text),
      close: async () => saveAs(name, type, parts),
      abort: async () => {},
    };
  }
  try {
    return await (await picker({ suggestedName: name })).createWritable();
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") return undefined;
    throw thrown;
  }
}
