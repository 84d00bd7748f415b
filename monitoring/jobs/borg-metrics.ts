/**
 * Runs one Borg backup and tells node-exporter how it went: exit code, duration, bytes, and what differs from the archive
 * before. Ends with Borg's own exit code.
 *
 *   node borg-metrics.ts nightly nas ssh://backup@host/./repository /var/lib/node_exporter/textfile /etc /srv
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [backup = '', name = '', repository = '', folder = '', ...paths] = process.argv.slice(2);
if (paths.length === 0) {
  process.stderr.write(
    'use: borg-metrics.ts <backup> <repository name> <repository> <textfile folder> <path>…\n',
  );
  process.exit(64);
}
if (![backup, name].every((value) => /^[\w.-]+$/.test(value))) {
  process.stderr.write('names may hold letters, digits, dots, dashes and underscores\n');
  process.exit(64);
}

interface Created {
  readonly archive: {
    readonly name: string;
    readonly stats: Readonly<
      Record<'original_size' | 'compressed_size' | 'deduplicated_size' | 'nfiles', number>
    >;
  };
}

const target = join(folder, `borg-${backup}.prom`);
const labels = `{backup="${backup}",repository="${name}"}`;
const began = Date.now();
const before = readLastArchive();
const archive = `${backup}-${new Date(began).toISOString().slice(0, 19)}`;
const create = borg(['create', '--json', '--exclude-caches', `${repository}::${archive}`, ...paths]);
const exitCode = create.status ?? 128;
const now = Math.floor(Date.now() / 1000);

// A warning (1) has made an archive; an error (2 and above) has not.
const created = exitCode <= 1 ? (JSON.parse(create.stdout) as Created) : undefined;
const lines = [
  gauge('exit_code', exitCode),
  gauge('duration_seconds', (Date.now() - began) / 1000),
  gauge('last_run_timestamp_seconds', now),
  gauge('last_success_timestamp_seconds', exitCode === 0 ? now : readLastSuccess()),
];
if (created !== undefined) {
  const { stats } = created.archive;
  lines.push(
    gauge('original_bytes', stats.original_size),
    gauge('compressed_bytes', stats.compressed_size),
    gauge('deduplicated_bytes', stats.deduplicated_size),
    gauge('files', stats.nfiles),
  );
  if (before !== undefined) lines.push(countChanges(before));
}
// Renamed in one step, so that node-exporter never reads half a file.
writeFileSync(`${target}.new`, lines.join(''));
renameSync(`${target}.new`, target);
process.exitCode = exitCode;

function borg(args: readonly string[]): { status: number | null; stdout: string } {
  const { status, stdout, stderr, error } = spawnSync('borg', args, { encoding: 'utf8', maxBuffer: 1 << 30 });
  process.stderr.write(error === undefined ? stderr : `borg cannot be run: ${error.message}\n`);
  return { status: error === undefined ? status : 127, stdout };
}

function readLastArchive(): string | undefined {
  const list = borg(['list', '--last', '1', '--short', '--glob-archives', `${backup}-*`, repository]);
  return list.status === 0 ? list.stdout.trim() || undefined : undefined;
}

function readLastSuccess(): number {
  try {
    const text = readFileSync(target, 'utf8');
    return Number(/^borg_backup_last_success_timestamp_seconds\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function countChanges(earlier: string): string {
  const diff = borg(['diff', '--json-lines', `${repository}::${earlier}`, archive]);
  if (diff.status !== 0) return '';
  const counts = { added: 0, removed: 0, modified: 0 };
  for (const line of diff.stdout.split('\n').filter((text) => text !== '')) {
    const { changes } = JSON.parse(line) as { readonly changes: readonly { readonly type: string }[] };
    const types = changes.map(({ type }) => type);
    const kind = types.includes('added') ? 'added' : types.includes('removed') ? 'removed' : 'modified';
    counts[kind] += 1;
  }
  return Object.entries(counts)
    .map(
      ([change, count]) =>
        `borg_backup_changed_files{backup="${backup}",repository="${name}",change="${change}"} ${count}\n`,
    )
    .join('');
}

function gauge(metric: string, value: number): string {
  return `borg_backup_${metric}${labels} ${value}\n`;
}
