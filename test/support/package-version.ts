/** Vite replaces the version when it builds; in a test page, which is served without that step, it is a global. */
import packageJson from '../../package.json' with { type: 'json' };

(globalThis as { __PACKAGE_VERSION__?: string }).__PACKAGE_VERSION__ = packageJson.version;
