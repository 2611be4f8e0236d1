// What is dropped: files as they are, and folders with all that is in them, whose files get names without slashes.

export async function dropped(data) {
  const entries = [...data.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.());
  const files = [...data.files]; // before the first pause: what was dropped is gone after it
  if (!entries.some((entry) => entry?.isDirectory)) return files;
  return (await Promise.all(entries.map((entry) => inside(entry, "")))).flat();
}

// `10_zorp/a.png` of a folder becomes `10_zorp - a.png`, and its caption `10_zorp - a.txt`: they still belong together.
export function flattened(file, path) {
  const parts = path.split("/").slice(1);
  if (parts.length < 2) return file;
  return new File([file], parts.join(" - "), { type: file.type, lastModified: file.lastModified });
}

async function inside(entry, path) {
  if (!entry) return [];
  const here = path ? `${path}/${entry.name}` : entry.name;
  if (entry.isFile) return [flattened(await new Promise((resolve, reject) => entry.file(resolve, reject)), here)];
  const found = await listed(entry.createReader());
  return (await Promise.all(found.filter(({ name }) => !name.startsWith(".")).map((one) => inside(one, here)))).flat();
}

async function listed(reader) { // a reader gives a hundred at a time
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    found.push(...some);
  }
}
