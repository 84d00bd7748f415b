/** What every bench answers with, and how it is shown: a table for people, the same numbers as JSON for machines. */

/** One number held against its goal. */
export interface Verdict {
  readonly what: string;
  readonly value: number;
  /** `>=` or `<=` and the bound; null for numbers that are only reported. */
  readonly goal: readonly ['>=' | '<=', number] | null;
  readonly unit?: string;
}

export interface Report {
  readonly name: string;
  /** How it was measured, and what to know when reading it. */
  readonly notes: readonly string[];
  readonly columns: readonly string[];
  readonly rows: ReadonlyArray<ReadonlyArray<string | number>>;
  readonly verdicts: readonly Verdict[];
}

/** Tells how far a bench is; overwrites its own line on a terminal. */
export type Progress = (text: string) => void;

/** Progress on standard error, so that standard output holds the tables only. */
export const showProgress: Progress = (text) => {
  const isTerminal = process.stderr.isTTY;
  process.stderr.write(isTerminal ? `\r\x1b[2K${text}` : `  ${text}\n`);
};

/** Whether a number reached its goal; one without a goal always has. */
export function isReached({ value, goal }: Verdict): boolean {
  if (goal === null) return true;
  return goal[0] === '>=' ? value >= goal[1] : value <= goal[1];
}

/** A report as text. */
export function toText(report: Report): string {
  const lines = [report.columns, ...report.rows].map((row) => row.map((cell) => toCell(cell)));
  const widths = report.columns.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const table = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  const verdicts = report.verdicts.map((verdict) => {
    const goal = verdict.goal === null ? '' : `, goal ${verdict.goal[0]} ${verdict.goal[1]}`;
    const mark = verdict.goal === null ? ' ' : isReached(verdict) ? '✓' : '✗';
    return `${mark} ${verdict.what}: ${toCell(verdict.value)}${verdict.unit ?? ''}${goal}`;
  });
  return [`\n## ${report.name}`, ...report.notes, '', ...table, '', ...verdicts].join('\n');
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function toCell(value: string | number): string {
  if (typeof value === 'string') return value;
  return Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toFixed(4)).toString();
}
