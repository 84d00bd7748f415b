/** Writes docs/licences.md from the lock file: what production installs, direct and by way of others. Run: node build/licences.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import * as z from 'zod';

const TARGET = new URL('../docs/licences.md', import.meta.url);
const LOCK = new URL('../package-lock.json', import.meta.url);

const packageSchema = z.object({
  version: z.string().optional(),
  license: z.string().optional(),
  integrity: z.string().optional(),
  dev: z.boolean().optional(),
  devOptional: z.boolean().optional(),
  optional: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
});
const lockSchema = z.object({ packages: z.record(z.string(), packageSchema) });

/** A package as the lock file pins it. */
export interface LockedPackage extends z.infer<typeof packageSchema> {
  readonly name: string;
  /** Named in package.json itself. */
  readonly isDirect: boolean;
}

/** What `npm ci --omit=dev` installs. */
export function readProduction(text: string = readFileSync(LOCK, 'utf8')): LockedPackage[] {
  const { packages } = lockSchema.parse(JSON.parse(text));
  const direct = packages['']?.dependencies ?? {};
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path, entry]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { ...entry, name, isDirect: name in direct && path === `node_modules/${name}` };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The page's text, formatted as prettier leaves it. */
export async function renderLicences(packages: readonly LockedPackage[] = readProduction()): Promise<string> {
  const byLicence = Map.groupBy(packages, ({ license }) => license ?? 'not stated');
  const rows = [...byLicence]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([licence, of]) => `| ${licence} | ${[...new Set(of.map(toLink))].join(', ')} |`);
  const text = `# Licences

alertgest is under the Apache License 2.0. This page is written by \`node build/licences.ts\` from \`package-lock.json\` and
compared by a test: what a production installation brings. The image holds only what the functions use of it, with the
notices that the licences ask for beside each bundle (\`dist/*.LEGAL.txt\`) and a bill of materials (\`sbom.cdx.json\`).
Packages in bold are named in \`package.json\`; the others come with them.

| licence | packages |
| --- | --- |
${rows.join('\n')}
`;
  return format(text, { parser: 'markdown', printWidth: 110, proseWrap: 'preserve' });
}

function toLink({ name, isDirect }: LockedPackage): string {
  return isDirect ? `**${name}**` : name;
}

if (import.meta.main) writeFileSync(TARGET, await renderLicences());
