/** IndexPage: what a browser gets at `/_observer` where the page itself was not built: the forms, as links. */
import type { PageFile } from './page-file.ts';

const FORMS = ['service', 'tree', 'processes', 'populations', 'deaths', 'messages', 'shapes', 'plots', 'postgres'];

const LINKS = FORMS.map((name) => `<li><a href="/_observer/api/${name}">${name}</a></li>`).join('\n');

export const indexPage: PageFile = {
  contentType: 'text/html; charset=utf-8',
  bytes: Buffer.from(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Armature: observer</title>
<h1>Observer</h1>
<p>The service at work, as JSON. docs/observer.md says what each form has.</p>
<ul>
${LINKS}
</ul>
</html>
`),
};
