declare const __PACKAGE_VERSION__: string;

/** The version of this package, as in package.json; replaced when the library is built. */
export const version: string = __PACKAGE_VERSION__;
