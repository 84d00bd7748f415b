import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderMonitoring } from '../../../build/monitoring.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const files = await renderMonitoring();
const FOLDERS = [
  'monitoring/prometheus/rules',
  'monitoring/prometheus/tests',
  'monitoring/grafana/dashboards',
  'monitoring/overlays/homelab/rules',
  'monitoring/overlays/company/rules',
];

describe('generated files (npm run monitoring)', () => {
  it.each([...files])('%s is what its source says', (path, text) => {
    expect(existsSync(resolve(ROOT, path)), path).toBe(true);
    expect(readFileSync(resolve(ROOT, path), 'utf8')).toBe(text);
  });

  it.each(FOLDERS)('%s holds nothing else', (folder) => {
    const present = readdirSync(resolve(ROOT, folder)).map((name) => `${folder}/${name}`);
    expect(present.filter((path) => !files.has(path))).toEqual([]);
  });
});
