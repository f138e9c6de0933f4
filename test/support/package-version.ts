/** Vite replaces the version when it builds; test pages are served without that step, so there it is a global. */
import packageJson from '../../package.json' with { type: 'json' };

(globalThis as { __PACKAGE_VERSION__?: string }).__PACKAGE_VERSION__ = packageJson.version;
