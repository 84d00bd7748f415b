import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,integration,e2e,faults,security}/**/*.test.ts'],
    // Minutes each: `make faults` runs them too.
    exclude: ['**/node_modules/**', 'test/faults/**/*.slow.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
