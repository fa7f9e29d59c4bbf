print("backflow")
