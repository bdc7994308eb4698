/** Columns of text, as kubectl sets them. */

const GAP = '   ';

/** Numbers stand to the right: `right` has their columns. */
export function table(
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number> = new Set(),
): string {
  const [head = []] = rows;
  const widths = head.map((_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, i) =>
        right.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join(GAP)
      .trimEnd();
  return `${rows.map(lineOf).join('\n')}\n`;
}
