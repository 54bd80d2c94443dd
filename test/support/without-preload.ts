// The test process itself has loaded it (vitest.config.ts); programs it starts are not to.
delete process.env.LD_PRELOAD;
