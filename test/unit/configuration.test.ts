import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configSchema as buildDigest } from '../../functions/build-digest/config.ts';
import { configSchema as classify } from '../../functions/classify/config.ts';
import { configSchema as consoleConfig } from '../../functions/console/config.ts';
import { configSchema as notify } from '../../functions/notify/config.ts';
import { configSchema as receive } from '../../functions/receive/config.ts';
import { configSchema as suppressCheck } from '../../functions/suppress-check/config.ts';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const documented = new Set(
  Array.from(page.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)`/g), ([, name = '']) => name),
);

describe('docs/configuration.md', () => {
  it.each(Object.entries({ receive, classify, suppressCheck, notify, buildDigest, consoleConfig }))(
    'names every variable that %s reads',
    (_name, schema) => {
      expect(Object.keys(schema.shape).filter((variable) => !documented.has(variable))).toEqual([]);
    },
  );

  it('shows the defaults the code has', () => {
    const required = {
      DATABASE_URL: 'postgresql://x/y',
      RECEIVE_TOKEN: '0123456789abcdef',
      CONSOLE_TOKEN: '0123456789abcdef',
    };
    const defaults = Object.assign(
      {},
      ...[receive, classify, suppressCheck, notify, buildDigest, consoleConfig].map((schema) =>
        schema.parse(required),
      ),
    ) as Record<string, unknown>;
    const tables = page.slice(0, page.indexOf('## Names of the first proposal'));
    for (const [, name = '', shown = ''] of tables.matchAll(/^\| `([A-Z_]+)`\s+\| `([^`]+)`/gm)) {
      if (name === 'PORT') continue;
      const value = defaults[name];
      expect(value instanceof Set ? [...value].join(',') : toText(value, shown), name).toBe(shown);
    }
  });
});

/** A value as the page writes it: durations come out of the schema in milliseconds. */
function toText(value: unknown, shown: string): string {
  const unit = { s: 1_000, m: 60_000, h: 3_600_000 }[/^\d+([smh])$/.exec(shown)?.[1] ?? ''];
  return typeof value === 'number' && unit !== undefined
    ? `${value / unit}${shown.at(-1) ?? ''}`
    : String(value);
}
