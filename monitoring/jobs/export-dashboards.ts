/** Saves every dashboard of Grafana as a file, also those that people made by hand. Runs alone, from a ConfigMap. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const url = process.env['GRAFANA_URL'] ?? 'http://localhost:3000';
const token = readFileSync(process.env['GRAFANA_TOKEN_FILE'] ?? '/secrets/grafana-token', 'utf8').trim();
const folder = process.env['OUTPUT_FOLDER'] ?? 'dashboards';

interface Found {
  readonly uid: string;
}

mkdirSync(folder, { recursive: true });
let saved = 0;
for (let page = 1; ; page += 1) {
  const found = (await ask(`/api/search?type=dash-db&limit=1000&page=${page}`)) as readonly Found[];
  for (const { uid } of found) {
    const { dashboard } = (await ask(`/api/dashboards/uid/${encodeURIComponent(uid)}`)) as {
      dashboard: object;
    };
    writeFileSync(
      join(folder, `${uid.replaceAll(/[^\w-]/g, '_')}.json`),
      `${JSON.stringify(dashboard, null, 2)}\n`,
    );
    saved += 1;
  }
  if (found.length < 1000) break;
}
process.stdout.write(`saved ${saved} dashboards\n`);

async function ask(path: string): Promise<unknown> {
  const response = await fetch(new URL(path, url), {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`Grafana answered ${response.status} to ${path}`);
  return response.json();
}
