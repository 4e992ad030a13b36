import { renderMarkdown } from '@grafana/data';

import type { Shown } from '.';

export function TextPanel({ panel }: Shown) {
  return <div className="markdown-html" dangerouslySetInnerHTML={{ __html: renderMarkdown(panel.options?.content) }} />;
}
