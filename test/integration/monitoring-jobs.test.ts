import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { METRICS } from '../../monitoring/metrics.ts';

const byName = (a = '', b = ''): number => a.localeCompare(b);
const JOBS = resolve(import.meta.dirname, '../../monitoring/jobs');
const PNG = Buffer.from('89504e470d0a1a0a00', 'hex');
const run = promisify(execFile);
const top = mkdtempSync(join(tmpdir(), 'alertgest-jobs-'));
let folder = top;

beforeEach(() => {
  folder = mkdtempSync(join(top, 'case-'));
  writeFileSync(join(folder, 'token'), 'glsa_secret\n');
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

describe('the exports from Grafana', () => {
  it('save every dashboard', async () => {
    const { url, asked, close } = await serve((path) =>
      path.startsWith('/api/search')
        ? JSON.stringify([{ uid: 'ag-one' }, { uid: 'made/by hand' }])
        : JSON.stringify({ dashboard: { uid: path.split('/').at(-1) }, meta: {} }),
    );
    await job('export-dashboards.ts', url);
    close();
    expect(readdirSync(join(folder, 'out')).toSorted(byName)).toEqual(['ag-one.json', 'made_by_hand.json']);
    expect(JSON.parse(readFileSync(join(folder, 'out/ag-one.json'), 'utf8'))).toEqual({ uid: 'ag-one' });
    expect(asked.map(({ authorization }) => authorization)).toEqual(Array(3).fill('Bearer glsa_secret'));
    expect(asked[2]?.path).toBe('/api/dashboards/uid/made%2Fby%20hand');
  });

  it('save the panels of the list as pictures', async () => {
    const { url, asked, close } = await serve(() => PNG);
    await job('export-panels.ts', url, { PANELS_FILE: join(JOBS, 'panels.json') });
    close();
    const pictures = JSON.parse(readFileSync(join(JOBS, 'panels.json'), 'utf8')) as readonly object[];
    expect(readdirSync(join(folder, 'out'))).toHaveLength(pictures.length);
    expect(asked[0]?.path).toMatch(/^\/render\/d-solo\/ag-slo\?panelId=1&from=now-30d&to=now/);
  });

  it('fail when Grafana answers with a page instead of a picture', async () => {
    const { url, close } = await serve(() => '<html>No image renderer</html>');
    const failed = job('export-panels.ts', url, { PANELS_FILE: join(JOBS, 'panels.json') });
    await expect(failed).rejects.toThrow('no picture');
    close();
  });

  it('fail when Grafana refuses, so that the Job fails', async () => {
    const { url, close } = await serve(() => undefined);
    await expect(job('export-dashboards.ts', url)).rejects.toThrow('answered 401');
    close();
  });
});

describe('the wrapper around Borg', () => {
  it('tells how a good backup went and what changed', async () => {
    borg({ create: 0 });
    await backup();
    const text = readMetrics();
    expect(text).toContain('borg_backup_exit_code{backup="nightly",repository="nas"} 0\n');
    expect(text).toContain('borg_backup_deduplicated_bytes{backup="nightly",repository="nas"} 300\n');
    expect(text).toContain('borg_backup_changed_files{backup="nightly",repository="nas",change="added"} 2\n');
    expect(text).toContain(
      'borg_backup_changed_files{backup="nightly",repository="nas",change="removed"} 1\n',
    );
    expect(read(text, 'last_success_timestamp_seconds')).toBe(read(text, 'last_run_timestamp_seconds'));
  });

  it('ends with Borg’s exit code and keeps the time of the last success', async () => {
    borg({ create: 0 });
    await backup();
    const good = read(readMetrics(), 'last_success_timestamp_seconds');
    expect(good).toBeGreaterThan(1_700_000_000);
    borg({ create: 2 });
    await expect(backup()).rejects.toMatchObject({ code: 2 });
    const text = readMetrics();
    expect(text).toContain('borg_backup_exit_code{backup="nightly",repository="nas"} 2\n');
    expect(read(text, 'last_success_timestamp_seconds')).toBe(good);
    expect(text).not.toContain('bytes');
  });

  it('reports Borg as missing rather than nothing at all', async () => {
    mkdirSync(join(folder, 'empty'));
    const failed = run(process.execPath, wrapper(), { env: { PATH: join(folder, 'empty') } });
    await expect(failed).rejects.toMatchObject({ code: 127 });
    expect(readMetrics()).toContain('borg_backup_exit_code{backup="nightly",repository="nas"} 127\n');
  });

  it('writes the metrics of the contract and no others', async () => {
    borg({ create: 0 });
    await backup();
    const written = new Set(Array.from(readMetrics().matchAll(/^(\w+)\{/gm), ([, name]) => name));
    const named = METRICS.filter(({ exporter }) => exporter === 'borg-metrics').map(({ name }) => name);
    expect([...written].toSorted(byName)).toEqual(named.toSorted(byName));
  });

  function wrapper(): string[] {
    return [join(JOBS, 'borg-metrics.ts'), 'nightly', 'nas', '/repository', folder, '/srv'];
  }

  function backup(): Promise<unknown> {
    return run(process.execPath, wrapper(), { env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` } });
  }

  function readMetrics(): string {
    return readFileSync(join(folder, 'borg-nightly.prom'), 'utf8');
  }

  function read(text: string, metric: string): number {
    return Number(new RegExp(`^borg_backup_${metric}\\{.*\\} (\\d+)$`, 'm').exec(text)?.[1]);
  }

  /** A program named borg that answers as Borg 1.4 does. */
  function borg({ create }: { create: number }): void {
    const made = {
      archive: {
        name: 'x',
        stats: { original_size: 1000, compressed_size: 600, deduplicated_size: 300, nfiles: 42 },
      },
    };
    const changes = [
      { path: 'a', changes: [{ type: 'added', size: 1 }] },
      { path: 'b', changes: [{ type: 'added directory' }, { type: 'added' }] },
      { path: 'c', changes: [{ type: 'removed', size: 1 }] },
      { path: 'd', changes: [{ type: 'modified', added: 1, removed: 1 }] },
    ];
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(
      join(folder, 'bin/borg'),
      `#!/bin/sh
case "$1" in
  list) echo nightly-2026-01-01T00:00:00 ;;
  create) [ ${create} -gt 1 ] || echo '${JSON.stringify(made)}'; exit ${create} ;;
  diff) printf '%s\\n' ${changes.map((change) => `'${JSON.stringify(change)}'`).join(' ')} ;;
esac
`,
    );
    chmodSync(join(folder, 'bin/borg'), 0o755);
  }
});

function job(name: string, url: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const env = {
    GRAFANA_URL: url,
    GRAFANA_TOKEN_FILE: join(folder, 'token'),
    OUTPUT_FOLDER: join(folder, 'out'),
    ...more,
  };
  return run(process.execPath, [join(JOBS, name)], { env });
}

/** A Grafana that gives what `answer` says, or refuses. */
async function serve(answer: (path: string) => string | Buffer | undefined): Promise<{
  url: string;
  asked: { path: string; authorization: string | undefined }[];
  close: () => void;
}> {
  const asked: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push({ path, authorization: request.headers.authorization });
    const body = answer(path);
    response.writeHead(body === undefined ? 401 : 200).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked, close: () => server.close() };
}
