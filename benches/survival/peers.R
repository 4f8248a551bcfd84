# Times R's packages on the CSV files of a folder: Rscript peers.R FOLDER REPEATS -> lines task,file,n,p,seconds (CPU), best of the repeats.
suppressMessages({library(survival); library(ranger)})
arguments <- commandArgs(TRUE)
repeats <- as.integer(arguments[2])
for (file in sort(list.files(arguments[1], "\\.csv$", full.names = TRUE))) {
  d <- read.csv(file); n <- nrow(d); p <- ncol(d) - 2; y <- Surv(d$time, d$status)
  report <- function(task, run) {
    s <- min(replicate(repeats, sum(system.time(run())[1:2])))
    cat(sprintf("%s,%s,%d,%d,%.6f\n", task, sub("\\.csv$", "", basename(file)), n, p, s))
  }
  report("c_index", function() concordancefit(y, d[[3]], reverse = TRUE, std.err = FALSE))
  report("c_index_se", function() concordancefit(y, d[[3]], reverse = TRUE))
  x <- as.matrix(d[, 3:min(7, ncol(d))])
  report("cox_fit_5", function() coxph.fit(x, y, NULL, NULL, NULL, coxph.control(), NULL, "efron", NULL))
  if (p >= 10 && p < 100 && n <= 5000) {
    trees <- if (n <= 1000) 400 else 20
    report(paste0("rsf_exhaustive_", trees), function()
      ranger(x = d[, -(1:2)], y = y, num.trees = trees, mtry = 4, min.node.size = 10, num.threads = 1))
  }
}
