/** Tables of comma-separated values with a header; no quotes, as in the openb trace. */

/** What is wrong with a file or an option, for whoever named it. */
export class InputError extends Error {}

export interface Row {
  /** The value of a column, '' when the table has no such column. */
  text(column: string): string;
  /** A whole number of at least 0. */
  amount(column: string): number;
}

/** The rows under the header. Columns that nobody asks for may hold anything. */
export function rowsOf(csv: string, file: string, required: readonly string[]): readonly Row[] {
  const [header = '', ...lines] = csv.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = new Map(header.split(',').map((column, i) => [column.trim(), i]));
  const missing = required.filter((column) => !columns.has(column));
  if (missing.length > 0) throw new InputError(`${file}: no column ${missing.join(', ')}`);
  return lines.flatMap((line, i) => (line.trim() === '' ? [] : [row(line, i + 2)]));

  function row(line: string, number: number): Row {
    const values = line.split(',');
    const text = (column: string): string => values[columns.get(column) ?? -1]?.trim() ?? '';
    const amount = (column: string): number => {
      const value = text(column);
      if (!/^\d+(\.0+)?$/.test(value)) {
        throw new InputError(`${file}:${number}: ${column}: "${value}" is no whole number`);
      }
      return Number(value);
    };
    return { text, amount };
  }
}
