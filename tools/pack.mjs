// Compresses what the web app loads, once and as well as it goes, in the folder it runs in:
// `packed/br` and `packed/gzip` hold the scripts and styles that `_next` holds.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const codings = {
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
};

const all = await readdir("_next/static", { recursive: true });
for (const name of all.filter((each) => /[.](css|js)$/.test(each))) {
  const file = join("_next/static", name);
  const bytes = await readFile(file);
  for (const [coding, pack] of Object.entries(codings)) {
    const packed = join("packed", coding, file);
    await mkdir(dirname(packed), { recursive: true });
    await writeFile(packed, await pack(bytes));
  }
}
