/** The observer's page. */
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import { App } from './app.tsx';
import './observer.css';

render(<App />, document.body);
