# Times R's packages on the CSV files of a folder: Rscript peers.R FOLDER REPEATS [LIB] -> lines peer:task,file,n,p,seconds (elapsed),
# the median of the repeats, a short run in loops of 50 ms. One thread. LIB is a library that has randomForestSRC.
arguments <- commandArgs(TRUE)
repeats <- as.integer(arguments[2])
if (length(arguments) > 2) .libPaths(c(arguments[3], .libPaths()))
suppressMessages(library(survival))
has <- function(package) suppressMessages(requireNamespace(package, quietly = TRUE))
for (file in sort(list.files(arguments[1], "\\.csv$", full.names = TRUE))) {
  if (nchar(readLines(file, 1)) > 7000) next  # a thousand columns and more
  d <- read.csv(file); n <- nrow(d); p <- ncol(d) - 2; y <- Surv(d$time, d$status)
  report <- function(peer, task, run) {
    seconds <- function(loops) { gc(FALSE); system.time(for (k in seq_len(loops)) run(), gcFirst = FALSE)[[3]] / loops }
    first <- seconds(1)
    s <- if (first > 5) first else median(replicate(repeats, seconds(max(1, min(200, ceiling(0.05 / max(first, 1e-3)))))))
    cat(sprintf("%s:%s,%s,%d,%d,%.6f\n", peer, task, sub("\\.csv$", "", basename(file)), n, p, s))
  }
  report("survival", "c_index", function() concordancefit(y, d[[3]], reverse = TRUE, std.err = FALSE))
  report("survival", "c_index_se", function() concordancefit(y, d[[3]], reverse = TRUE))
  report("survival", "km_fit", function() survfit(y ~ 1))
  if (n <= 1000) {
    set.seed(1)
    rows <- replicate(1000, sample(n, replace = TRUE), simplify = FALSE)
    report("survival", "c_index_ci_1000", function()
      for (r in rows) concordancefit(y[r], d[[3]][r], reverse = TRUE, std.err = FALSE))
  }
  x <- as.matrix(d[, 3:min(7, ncol(d))])
  report("survival", "cox_fit_5", function() coxph.fit(x, y, NULL, NULL, NULL, coxph.control(), NULL, "efron", NULL, resid = FALSE))
  if (p >= 100 && n <= 1000) report("survival", "cox_screen", function() for (j in 3:ncol(d)) coxph(y ~ d[[j]]))
  if (p >= 10 && p < 100 && n <= 5000) {
    trees <- if (n < 1000) 400 else 20
    for (split in c(10, 0)) {
      task <- paste0(if (split > 0) "rsf_random_" else "rsf_exhaustive_", trees)
      if (has("randomForestSRC")) {
        options(rf.cores = 1, mc.cores = 1)
        # nsplit = 0 tries every cut. Its default grid of at most 150 times is the faster one; ours has all event times.
        report("randomForestSRC", task, function() randomForestSRC::rfsrc(Surv(time, status) ~ ., d, ntree = trees,
          nodesize = 10, mtry = 4, nsplit = split))
      } else if (split == 0 && has("ranger") && n < 1000) {
        report("ranger", task, function()
          ranger::ranger(x = d[, -(1:2)], y = y, num.trees = trees, mtry = 4, min.node.size = 10, num.threads = 1))
      }
    }
  }
}
