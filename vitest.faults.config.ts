import { defineConfig } from 'vitest/config';

import { MATRIX } from './test/faults/matrix.ts';
import { FaultReport } from './test/faults/report.ts';

/** Every test that a row of the fault matrix names, the slow ones too; the report becomes docs/faults.md. */
export default defineConfig({
  test: {
    include: [...new Set(MATRIX.flatMap(({ tests }) => tests.map(({ file }) => file)))],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: [new FaultReport()],
    // Two cores: more at once and the limits in milliseconds would measure each other.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
