"""One HTML file about a policy: what it got right, where it failed, how sure that is, and what it learned from.

Everything is inside the file: styles, charts as SVG, pictures as JPEG. It opens from a disk with no network, on a
phone, by day and by night. `page` puts it together, each other module makes one part of it.

The trade-off: pictures are small and few (see the limits), so that a report stays below a few megabytes; what was
left out is counted on the page. It shows an evaluation, it computes no figure of its own.

Shapes: S samples, A controls.
"""
