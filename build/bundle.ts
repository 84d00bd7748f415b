/**
 * Makes dist/: one CommonJS file per function, the migration Job with its .sql files, and a warmed compile cache.
 * CommonJS and the cache because a cold start is mostly reading and compiling code; each file holds its own copy of
 * functions-framework, whose registry lives in the module. Run: npm run build
 */
import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { FUNCTION_NAMES } from '../eventing/local/functions.ts';
import { KUBERNETES, apart } from './apart.ts';
import { slim } from './slim.ts';
import { warmCompileCache } from './warm.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Builds everything into `folder`; answers the size of each file in bytes. */
export async function bundle(folder: string): Promise<Record<string, number>> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      ...Object.fromEntries(FUNCTION_NAMES.map((name) => [name, `functions/${name}/index.ts`])),
      main: 'build/main.ts',
      migrate: 'build/migrate.ts',
      [KUBERNETES]: KUBERNETES,
    },
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    // Node prints the line of an uncaught error; it must not be the whole file.
    lineLimit: 240,
    // Maps lie beside the bundles and are read by whoever asks (--enable-source-maps), never by a plain start.
    sourcemap: 'external',
    define: { 'process.env.NODE_ENV': '"production"', 'import.meta.url': 'bundleUrl' },
    banner: { js: `const bundleUrl=require("node:url").pathToFileURL(__filename).href;` },
    // An optional native driver that pg asks for and we do not install.
    external: ['pg-native'],
    plugins: [slim, apart],
    legalComments: 'linked',
    logLevel: 'warning',
  });
  cpSync(join(ROOT, 'shared/postgres/migrations'), join(folder, 'migrations'), { recursive: true });
  await warmCompileCache(folder);
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith('.cjs'))
      .map((name) => [name, statSync(join(folder, name)).size]),
  );
}

async function main(): Promise<void> {
  const folder = join(ROOT, 'dist');
  const sizes = await bundle(folder);
  for (const [name, bytes] of Object.entries(sizes))
    console.log(`${name.padEnd(20)} ${(bytes / 1024).toFixed(0).padStart(6)} KiB`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
