/** Reads a text stream line by line, as many lines at a time as have arrived; a last line needs no line end. */

/** Yields batches of lines without their ends; works in constant memory and takes lines of any length. */
export async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let parts: string[] = [];
  for await (const chunk of chunks) {
    const lines = chunk.split('\n');
    const last = lines.pop() ?? '';
    if (lines.length > 0) {
      lines[0] = parts.join('') + (lines[0] ?? '');
      parts = [];
      yield lines.map((line) => withoutReturn(line));
    }
    parts.push(last);
  }
  const rest = parts.join('');
  if (rest !== '') yield [withoutReturn(rest)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
