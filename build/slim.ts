/**
 * Leaves out of the bundles what is loaded at every cold start, or run at every request, and can never be of use here.
 * Each stand-in says why; anything that could be reached in production stays. Sources run without any of them.
 */
import type { Plugin } from 'esbuild';

interface StandIn {
  /** The module as it is asked for. */
  readonly module: string;
  readonly contents: string;
}

const PASS = '(request, response, next) => next()';

const STAND_INS: readonly StandIn[] = [
  {
    // shared/serve.ts has read the body within its limits before the framework sees the request; the framework's five
    // parsers would each find it read and pass. They bring 450 KiB of character tables.
    module: 'body-parser',
    contents: `const pass = () => ${PASS}; module.exports = { json: pass, raw: pass, text: pass, urlencoded: pass };`,
  },
  {
    // express' parser for query strings; shared/serve.ts reads the URL itself.
    module: 'qs',
    contents: `module.exports = require('node:querystring');`,
  },
  {
    // pino's way of logging from a thread of its own; our logs go to standard output.
    module: 'thread-stream',
    contents: `module.exports = class {};`,
  },
  {
    // No function serves files.
    module: 'serve-static',
    contents: `module.exports = () => ${PASS};`,
  },
  {
    // express only asks it for the types below; the whole table is sorted by score at start, for 12 ms.
    module: 'mime-db',
    contents: `module.exports = {
      'application/json': { source: 'iana', charset: 'UTF-8', compressible: true, extensions: ['json'] },
      'application/octet-stream': { source: 'iana', extensions: ['bin'] },
      'application/x-www-form-urlencoded': { source: 'iana', compressible: true },
      'text/html': { source: 'iana', compressible: true, extensions: ['html'] },
      'text/plain': { source: 'iana', compressible: true, extensions: ['txt'] },
    };`,
  },
  {
    // express' own traces; ours go through pino.
    module: 'debug',
    contents: `module.exports = () => Object.assign(() => undefined, { enabled: false });
      module.exports.default = module.exports;`,
  },
  {
    // The framework opens a domain per request to catch what a function throws later. shared/serve.ts answers every
    // error itself, and domains switch on a hook that slows each promise of the process.
    module: 'domain',
    contents: `module.exports = { create: () => ({ on() {}, run: (work) => work() }) };`,
  },
];

/** The esbuild plugin that puts the stand-ins in place. */
export const slim: Plugin = {
  name: 'slim',
  setup(build) {
    for (const { module, contents } of STAND_INS) {
      build.onResolve({ filter: new RegExp(`^${module}$`) }, () => ({ path: module, namespace: 'slim' }));
      build.onLoad({ filter: new RegExp(`^${module}$`), namespace: 'slim' }, () => ({
        contents,
        loader: 'js',
      }));
    }
    // Asked for at the start by sonic-boom and cloudevents, used on few paths if any: loaded when first touched.
    build.onResolve({ filter: /^(assert|https)$/ }, ({ path }) => ({ path, namespace: 'late' }));
    build.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
      contents: `const load = () => process.getBuiltinModule('${path}');
        module.exports = new Proxy(function () {}, {
          get: (_, name) => load()[name],
          apply: (_, self, args) => load()(...args),
        });`,
    }));
  },
};
