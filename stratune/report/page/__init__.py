"""What report.html is made of: a template, its style, small scripts without a build step, and one library.

    page.html, parts/*.html   the page as it reads without scripts: prose, tables, figures that are SVG
    base.css                  colours, light and dark, and fonts: the page of `stratune serve` has them, too
    page.css                  all else, phone and print
    scripts/*.js              sorting, differences to a reference, the rows of test, curves; one idea a file
    vendor/                   uPlot 1.6.32 (MIT), as it is in the registry of npm:
        uPlot.iife.min.js     sha256 19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f

uPlot draws the curves: 51 kB, no dependency, text set as text. Observable Plot with D3 is ten times as
large, and what is not a curve here is better a table (confusions, wins) or has names to place (cost against
quality).
The modules beside this one make the data of the scripts: one JSON block, embedded so that no text in it can
end it.
"""
