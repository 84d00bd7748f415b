/**
 * Keeps what is large and seldom needed out of the bundles: the Kubernetes client becomes a file of its own beside them,
 * read with the first question to a cluster. Inside a bundle it would be read at every cold start (6 MB, four fifths of it).
 */
import { resolve } from 'node:path';
import type { Plugin } from 'esbuild';

const PACKAGE = '@kubernetes/client-node';
/** The entry point's name, and so the file's. */
export const KUBERNETES = 'kubernetes-client';
/** What shared/cluster.ts takes from it; everything else that can be left out is. */
const CONTENTS = `export { AppsV1Api, CoreV1Api, CustomObjectsApi, KubeConfig, Observable } from '${PACKAGE}';`;

/** The esbuild plugin that puts it apart. */
export const apart: Plugin = {
  name: 'apart',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^${KUBERNETES}$`) }, ({ path }) => ({ path, namespace: 'apart' }));
    build.onLoad({ filter: /.*/, namespace: 'apart' }, () => ({
      contents: CONTENTS,
      loader: 'js',
      resolveDir: resolve(import.meta.dirname, '..'),
    }));
    build.onResolve({ filter: new RegExp(`^${PACKAGE}$`) }, ({ namespace }) =>
      namespace === 'apart' ? undefined : { path: `./${KUBERNETES}.cjs`, external: true },
    );
  },
};
