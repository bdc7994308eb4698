/**
 * Tables as kubectl prints them: columns of priority 0, each as wide as its widest cell, three
 * blanks between.
 */

export interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

export function printTable(table: Table): string {
  const shown = table.columnDefinitions.flatMap(({ priority }, i) => (priority === 0 ? [i] : []));
  const heads = table.columnDefinitions.map(({ name }) => name.toUpperCase());
  const rows = [heads, ...table.rows.map(({ cells }) => cells.map(textOf))];
  const widths = shown.map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) => shown.map((i, column) => (row[i] ?? '').padEnd(widths[column] ?? 0)).join('   '))
    .map((line) => line.trimEnd())
    .join('\n');
}

function textOf(cell: unknown): string {
  if (cell === null || cell === undefined) return '<none>';
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}
