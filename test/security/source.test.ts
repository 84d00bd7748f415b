/** What the code must never do, looked for in the code itself: each rule is a control that no input can switch off. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const sources = ['functions', 'shared'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(join(ROOT, folder, name), 'utf8') })),
);

/** Places that match, as `file: match`. */
function find(pattern: RegExp, allowed: Readonly<Record<string, string>> = {}): string[] {
  return sources
    .filter(({ file }) => !Object.hasOwn(allowed, file))
    .flatMap(({ file, text }) => Array.from(text.matchAll(pattern), ([match]) => `${file}: ${match}`));
}

describe('the functions', () => {
  it('are all looked at', () => {
    expect(sources.length).toBeGreaterThan(150);
  });

  it('ask other servers only through the client that checks addresses and follows no redirect', () => {
    const own = { 'shared/http.ts': 'it is that client' };
    expect(find(/(?<![.\w])fetch\(|\bhttps?\.(?:request|get)\(|from 'undici'/g, own)).toEqual([]);
    expect(find(/^import (?!type)[^;]*from 'node:https?'/gm, own)).toEqual([]);
  });

  it('run no text as code and start no program', () => {
    expect(find(/\beval\(|\bnew Function\(|node:vm|node:child_process/g)).toEqual([]);
  });

  it('make no regular expression of what people wrote', () => {
    expect(find(/new RegExp\((?!\s*(?:`|'))/g)).toEqual([]);
    const parts = sources.flatMap(({ file, text }) =>
      Array.from(text.matchAll(/new RegExp\(\s*`([^`]*)`/g), ([, body = '']) =>
        Array.from(body.matchAll(/\$\{([^}]+)\}/g), ([, part = '']) => `${file}: ${part}`),
      ).flat(),
    );
    const others = parts.filter((part) => !/: (?:[A-Z_]+|String\.fromCharCode\(0x?[\da-f]+\))$/.test(part));
    // The first is made of the names of our own table, the second of a channel's type.
    expect(others.toSorted()).toEqual([
      "functions/classify/rules.ts: Object.keys(PLACEHOLDERS).join('|')",
      'functions/notify/channel-instances.ts: prefix',
    ]);
  });

  it('put nothing into SQL but constants', () => {
    const statements = sources.flatMap(({ file, text }) =>
      Array.from(
        text.matchAll(/`\s*(?:select|insert|update|delete|with|create|set|lock|truncate)\b[^`]*`/g),
        ([sql]) => ({ file, sql }),
      ),
    );
    expect(statements.length).toBeGreaterThan(100);
    const parts = statements.flatMap(({ file, sql }) =>
      Array.from(sql.matchAll(/\$\{([^}]+)\}/g), ([, part = '']) => `${file}: ${part}`),
    );
    expect(parts.filter((part) => !/: (?:[A-Z][A-Z0-9_]*|isLouderTwin\('\$\d'\))$/.test(part))).toEqual([]);
  });

  it('mark no text as safe HTML but the style sheet and one attribute of ours', () => {
    expect(find(/\braw\((?!style\)|'aria-current="page"'\))/g)).toEqual([]);
    expect(find(/innerHTML|dangerouslySetInnerHTML/g)).toEqual([]);
  });

  it('read the environment in one place and hand it on', () => {
    expect(find(/(?<!`)process\.env/g, { 'shared/start.ts': 'the one place' })).toEqual([]);
  });

  it('give the model no tools', () => {
    expect(find(/\btools\s*:/g)).toEqual([]);
  });

  it('talk TLS with whoever proves who it is', () => {
    expect(find(/rejectUnauthorized\s*:\s*false|NODE_TLS_REJECT_UNAUTHORIZED/g)).toEqual([]);
  });
});
