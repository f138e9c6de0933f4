/** The pages of the site, in the order of its navigation. A page is a Markdown file of the repository. */

/** @typedef {{ name: string, title: string, source: string }} Page */

/** @type {readonly { group: string, pages: readonly Page[] }[]} */
export const groups = [
  {
    group: 'Start',
    pages: [
      { name: 'index', title: 'magnitude-edge', source: 'docs/index.md' },
      { name: 'start', title: 'First lines', source: 'docs/start.md' },
      { name: 'tour', title: 'Five-minute tour', source: 'docs/tour.md' },
      { name: 'gallery', title: 'Gallery', source: 'docs/gallery.md' },
    ],
  },
  {
    group: 'Use',
    pages: [
      { name: 'guide', title: 'Guide', source: 'docs/guide.md' },
      { name: 'python', title: 'Python', source: 'python/README.md' },
      { name: 'notebooks', title: 'JavaScript notebooks', source: 'docs/notebooks.md' },
      { name: 'command', title: 'The command', source: 'docs/command.md' },
      { name: 'scale', title: 'Large networks', source: 'docs/scale.md' },
    ],
  },
  {
    group: 'Understand',
    pages: [
      { name: 'method', title: 'Method', source: 'docs/method.md' },
      { name: 'glossary', title: 'Glossary', source: 'docs/glossary.md' },
      { name: 'onnx-profile', title: 'Model file', source: 'docs/onnx-profile.md' },
      { name: 'onnx-profile-extensions', title: 'Its extensions', source: 'docs/onnx-profile-extensions.md' },
      { name: 'supported-ops', title: 'Supported operators', source: 'docs/SUPPORTED_OPS.md' },
      { name: 'activation-accuracy', title: 'Accuracy of slopes', source: 'docs/activation-accuracy.md' },
      { name: 'exports', title: 'Exports', source: 'docs/EXPORTS.md' },
    ],
  },
  {
    group: 'Trust',
    pages: [
      { name: 'trust', title: 'What was tried', source: 'docs/trust.md' },
      { name: 'benchmarks', title: 'Benchmarks', source: 'bench/RESULTS.md' },
      { name: 'recovery', title: 'Recovery of edges', source: 'bench/recovery/README.md' },
    ],
  },
  {
    group: 'Inside',
    pages: [
      { name: 'architecture', title: 'Architecture', source: 'ARCHITECTURE.md' },
      { name: 'webgpu-engine', title: 'WebGPU engine', source: 'docs/webgpu-engine.md' },
      { name: 'decisions', title: 'Decisions', source: 'docs/decisions.md' },
      { name: 'contributing', title: 'Contributing', source: 'CONTRIBUTING.md' },
      { name: 'changelog', title: 'Changelog', source: 'CHANGELOG.md' },
      { name: 'cite', title: 'How to cite', source: 'docs/cite.md' },
    ],
  },
];

export const pages = groups.flatMap((group) => group.pages);
