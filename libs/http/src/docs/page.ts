/** What the page holds besides the viewer: it starts it, and shows the code samples of `x-codeSamples` beside each operation. */
export const PAGE_SCRIPT = `'use strict';
(() => {
  const samplesOf = (specSelectors, path, method) => {
    const found = specSelectors.specJson().getIn(['paths', path, method, 'x-codeSamples']);
    return found ? found.toJS() : [];
  };
  // The document cannot know where it is read; the page does.
  const here = (source) => source.replaceAll('http://localhost:\${PORT:-8080}', location.origin);

  const codeSamples = ({ React }) => {
    const h = React.createElement;
    const Samples = ({ samples }) => {
      const [chosen, choose] = React.useState(0);
      const [copied, setCopied] = React.useState(false);
      const source = here(samples[chosen].source);
      const copy = () => navigator.clipboard?.writeText(source).then(() => setCopied(true));
      return h('div', { className: 'code-samples' },
        h('div', { className: 'code-samples-tabs', role: 'tablist' },
          ...samples.map(({ label }, index) => h('button', {
            key: label, type: 'button', role: 'tab', 'aria-selected': index === chosen,
            onClick: () => { choose(index); setCopied(false); },
          }, label)),
          h('button', { type: 'button', className: 'code-samples-copy', onClick: copy }, copied ? 'Copied' : 'Copy')),
        h('pre', { role: 'tabpanel' }, h('code', null, source)));
    };
    return {
      wrapComponents: {
        responses: (Responses) => (props) => {
          const samples = samplesOf(props.specSelectors, props.path, props.method);
          return h('div', null, samples.length > 0 ? h(Samples, { samples }) : null, h(Responses, props));
        },
      },
    };
  };

  SwaggerUIBundle({
    dom_id: '#docs',
    url: 'openapi.json',
    // The default is a validator on the internet.
    validatorUrl: null,
    deepLinking: true,
    filter: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: false,
    plugins: [codeSamples],
  });
})();
`;

/** How the samples look. */
export const PAGE_STYLE = `body { margin: 0; }
.swagger-ui .info { margin: 24px 0; }
.code-samples { margin: 0 20px 20px; border-radius: 4px; overflow: hidden; background: #1f2430; }
.code-samples-tabs { display: flex; background: #171b24; }
.code-samples-tabs button { border: 0; padding: 10px 14px; background: none; color: #b8c0d0; font: 600 13px sans-serif; cursor: pointer; }
.code-samples-tabs button[aria-selected=true] { background: #1f2430; color: #fff; }
.code-samples-tabs .code-samples-copy { margin-left: auto; }
.code-samples pre { margin: 0; padding: 14px; overflow: auto; color: #e6e9ef; font: 12px/1.5 monospace; }
`;

/** The page itself. Paths are relative, so that it works below any prefix. */
export function pageHtml(files: { readonly viewerScript: string; readonly viewerStyle: string; readonly script: string; readonly style: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/${files.viewerStyle}">
<link rel="stylesheet" href="docs/${files.style}">
</head>
<body>
<div id="docs"></div>
<noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> holds the same.</noscript>
<script src="docs/${files.viewerScript}"></script>
<script src="docs/${files.script}"></script>
</body>
</html>
`;
}
