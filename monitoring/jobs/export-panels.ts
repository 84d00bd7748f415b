/** Saves panels as pictures, for people who get a report and no login. Runs alone, from a ConfigMap. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const url = process.env['GRAFANA_URL'] ?? 'http://localhost:3000';
const token = readFileSync(process.env['GRAFANA_TOKEN_FILE'] ?? '/secrets/grafana-token', 'utf8').trim();
const folder = process.env['OUTPUT_FOLDER'] ?? 'panels';
const week = new Date().toISOString().slice(0, 10);

interface Picture {
  readonly uid: string;
  readonly panel: number;
  readonly name: string;
  readonly from: string;
}

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

mkdirSync(folder, { recursive: true });
const pictures = JSON.parse(
  readFileSync(process.env['PANELS_FILE'] ?? 'panels.json', 'utf8'),
) as readonly Picture[];
for (const { uid, panel, name, from } of pictures) {
  const query = new URLSearchParams({
    panelId: String(panel),
    from,
    to: 'now',
    width: '1000',
    height: '500',
    tz: 'UTC',
  });
  const response = await fetch(new URL(`/render/d-solo/${uid}?${query.toString()}`, url), {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.timeout(90_000),
  });
  const image = Buffer.from(await response.arrayBuffer());
  // Without the renderer Grafana answers 200 with a page or a picture of an error; a page is at least recognised.
  if (!response.ok || !image.subarray(0, 8).equals(PNG)) {
    throw new Error(`Grafana answered ${response.status} and no picture for ${name}`);
  }
  writeFileSync(join(folder, `${week}-${name}.png`), image);
}
process.stdout.write(`saved ${pictures.length} pictures\n`);
